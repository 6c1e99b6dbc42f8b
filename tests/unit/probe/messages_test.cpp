// SPDX-License-Identifier: GPL-2.0-or-later
// What goes over the wire: DNS and echo messages, in bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "podman/probe/dns_message.h"
#include "podman/probe/icmp.h"

namespace podshark::probe {
namespace {

using testing::ElementsAre;
using namespace std::string_literals;

const std::string kHead = "\x12\x34\x81\x80\0\1\0\2\0\0\0\0"s;
const std::string kQuestion = "\2db\3lan\0\0\1\0\1"s;

TEST(Dns, a_query_is_header_labels_type_and_class) {
  EXPECT_EQ(dns_query(0x1234, "db.lan", kDnsA), "\x12\x34\1\0\0\1\0\0\0\0\0\0\2db\3lan\0\0\1\0\1"s);
  EXPECT_EQ(dns_query(1, "db.lan.", kDnsAaaa), dns_query(1, "db.lan", kDnsAaaa));
  EXPECT_EQ(dns_query(1, ".", kDnsA), "\0\1\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1"s);
}

TEST(Dns, what_is_no_name_is_not_asked_for) {
  EXPECT_FALSE(dns_query(1, "", kDnsA));
  EXPECT_FALSE(dns_query(1, "a..b", kDnsA));
  EXPECT_FALSE(dns_query(1, "..", kDnsA));
  EXPECT_FALSE(dns_query(1, std::string(64, 'a'), kDnsA));
  EXPECT_FALSE(dns_query(1, std::string(300, 'a'), kDnsA));
  EXPECT_TRUE(dns_query(1, std::string(63, 'a'), kDnsA));
}

TEST(Dns, addresses_are_taken_from_behind_aliases_and_compressed_names) {
  const std::string alias = "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\2\xc0\x0c"s;
  const std::string address = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\x59\0\3"s;
  const auto reply = parse_dns_reply(kHead + kQuestion + alias + address);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->id, 0x1234);
  EXPECT_EQ(reply->code, 0);
  EXPECT_THAT(reply->addresses, ElementsAre(*IpAddress::parse("10.89.0.3")));
}

TEST(Dns, a_query_is_no_reply) {
  EXPECT_FALSE(parse_dns_reply(*dns_query(1, "db", kDnsA)));
  EXPECT_FALSE(parse_dns_reply(""));
}

TEST(Dns, every_cut_of_a_reply_is_survived) {
  const std::string whole = kHead + kQuestion + "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\x59\0\3"s;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto reply = parse_dns_reply(std::string_view(whole).substr(0, n));
    EXPECT_TRUE(!reply || reply->addresses.empty());
  }
}

TEST(Dns, a_pointer_to_itself_is_not_followed) {
  const auto reply = parse_dns_reply("\0\1\x81\x80\0\1\0\1\0\0\0\0\xc0\x0c\0\1\0\1\xc0\x1c"s);
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->addresses.empty());
}

TEST(Dns, addresses_have_a_limit) {
  std::string many = "\0\1\x81\x80\0\0\0\xff\0\0\0\0"s;
  for (int i = 0; i < 255; ++i) many += "\0\0\1\0\1\0\0\0\1\0\4\1\1\1\1"s;
  EXPECT_EQ(parse_dns_reply(many)->addresses.size(), kMaxDnsAddresses);
}

TEST(Echo, the_checksum_of_a_request_makes_all_words_sum_to_ones) {
  const std::string packet = echo_request(true, 0xABCD, 7, 5);
  ASSERT_EQ(packet.size(), 13U);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < packet.size(); ++i)
    sum += static_cast<std::uint32_t>(static_cast<std::uint8_t>(packet[i])) << (i % 2 == 0 ? 8U : 0U);
  while (sum >> 16U != 0) sum = (sum & 0xFFFFU) + (sum >> 16U);
  EXPECT_EQ(sum, 0xFFFFU);
}

TEST(Echo, a_reply_is_known_by_type_and_on_raw_sockets_by_number) {
  std::string reply = echo_request(true, 0xABCD, 7, 0);
  EXPECT_FALSE(echo_reply(reply, true, true, 0)) << "our own request, seen on loopback";
  reply[0] = 0;
  EXPECT_EQ(echo_reply(reply, true, true, 0), 7);
  const std::string with_header = "\x45"s + std::string(19, '\0') + reply;
  EXPECT_EQ(echo_reply(with_header, true, false, 0xABCD), 7);
  EXPECT_FALSE(echo_reply(with_header, true, false, 0xABCE));
  EXPECT_FALSE(echo_reply("\x4f", true, false, 1));
  EXPECT_FALSE(echo_reply("", true, false, 1));
}

}  // namespace
}  // namespace podshark::probe
