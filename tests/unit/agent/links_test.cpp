// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/agent/links.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cstring>
#include <memory>
#include <string>

#include "extcap/agent/idle.h"
#include "tests/unit/netlink_messages.h"

namespace podshark::agent {
namespace {

constexpr std::uint32_t kSequence = 7;

using test::attribute;

template <typename T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

std::string message(std::uint16_t type, const std::string& body, std::uint32_t sequence = kSequence) {
  nlmsghdr head{};
  head.nlmsg_len = static_cast<std::uint32_t>(sizeof(head) + body.size());
  head.nlmsg_type = type;
  head.nlmsg_seq = sequence;
  std::string out;
  append(out, head);
  return out + body;
}

std::string link(int ifindex, const std::string& name, const std::string& mac, unsigned flags = 0) {
  ifinfomsg info{};
  info.ifi_index = ifindex;
  info.ifi_type = ARPHRD_ETHER;
  info.ifi_flags = flags;
  std::string body;
  append(body, info);
  return message(RTM_NEWLINK, body + attribute(IFLA_IFNAME, name + '\0') + attribute(IFLA_ADDRESS, mac));
}

std::string address(unsigned ifindex, const std::string& bytes, std::uint8_t prefix, std::uint8_t scope = 0) {
  ifaddrmsg info{};
  info.ifa_family = bytes.size() == 4 ? AF_INET : AF_INET6;
  info.ifa_prefixlen = prefix;
  info.ifa_scope = scope;
  info.ifa_index = ifindex;
  std::string body;
  append(body, info);
  return message(RTM_NEWADDR, body + attribute(IFA_ADDRESS, bytes));
}

std::string description(const Link& l) {
  Line line;
  describe(l, &line);
  return {line.text().data, line.text().size};
}

struct Answer {
  std::unique_ptr<LinkList> list = std::make_unique<LinkList>();
  int read(const std::string& datagram) {
    return read_answer(datagram.data(), datagram.size(), kSequence, list.get());
  }
};

TEST(Links, are_told_with_mac_and_addresses) {
  Answer a;
  EXPECT_EQ(0, a.read(link(2, "eth0", std::string("\x02\x42\x0a\xff\x00\x01", 6), IFF_UP) +
                      address(2, std::string("\x0a\x58\x00\x03", 4), 16) +
                      address(2, std::string(15, '\xfd') + '\x01', 64) +
                      address(3, std::string("\x7f\x00\x00\x01", 4), 8) +
                      address(2, std::string("\xfe\x80", 2) + std::string(14, '\x01'), 64, RT_SCOPE_LINK)));
  EXPECT_EQ(1, a.read(message(NLMSG_DONE, std::string(4, '\0'))));
  ASSERT_EQ(1U, a.list->count);
  EXPECT_STREQ("eth0", a.list->links[0].name);
  EXPECT_EQ(static_cast<unsigned>(IFF_UP), a.list->links[0].flags);
  EXPECT_EQ("type=1 mac=02:42:0a:ff:00:01 address=10.88.0.3/16,fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fd01/64",
            description(a.list->links[0]));
}

TEST(Links, no_mac_is_no_word) {
  Answer a;
  EXPECT_EQ(0, a.read(link(1, "lo", std::string(6, '\0'))));
  EXPECT_EQ("type=1", description(a.list->links[0]));
}

TEST(Links, impossible_lengths_and_strange_messages_do_no_harm) {
  const std::string good = link(2, "eth0", "abcdef");
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    Answer a;
    (void)a.read(good.substr(0, cut));
    for (std::uint32_t length : {0U, 3U, 17U, 70U, 0xFFFFFFFFU}) {
      std::string bent = good;
      std::memcpy(bent.data(), &length, sizeof(length));
      (void)a.read(bent);
    }
    std::string bent = good;
    bent[cut] = '\xff';
    (void)a.read(bent);
  }
  Answer a;
  EXPECT_EQ(-EBADMSG, a.read(message(NLMSG_ERROR, "")));
  const int refused = -EPERM;
  std::string error;
  append(error, refused);
  EXPECT_EQ(-EPERM, a.read(message(NLMSG_ERROR, error)));
  EXPECT_EQ(0, a.read(message(NLMSG_DONE, std::string(4, '\0'), kSequence + 1)));
  EXPECT_EQ(0, a.read(link(2, std::string(60, 'x'), std::string(60, 'm'))));
  EXPECT_EQ(std::string(IFNAMSIZ - 1, 'x'), a.list->links[0].name);
  EXPECT_EQ(0U, a.list->links[0].mac_size);
}

TEST(Links, more_than_are_kept_are_told) {
  Answer a;
  for (int i = 0; i < static_cast<int>(kMaxLinks); ++i) (void)a.read(link(i, "l", "abcdef"));
  EXPECT_FALSE(a.list->cut);
  (void)a.read(link(9999, "l", "abcdef"));
  EXPECT_TRUE(a.list->cut);
  for (unsigned i = 0; i < 40; ++i) (void)a.read(address(0, std::string("\x0a\x58\x00\x03", 4), 16));
  EXPECT_LE(a.list->links[0].address_size, sizeof(Link::addresses));
}

TEST(Line, is_cut_not_overrun) {
  Line line;
  for (int i = 0; i < 300; ++i) line.add("0123456789");
  EXPECT_EQ(1023U, line.text().size);
  EXPECT_EQ(1023U, strlen(line.c_str()));
  Line shown;
  shown.add_printable("a\x1b[2J b\xff");
  EXPECT_STREQ("a?[2J?b?", shown.c_str());
  Line number;
  number.add(std::uint64_t{5}, 9).add(" ").add(~std::uint64_t{0});
  EXPECT_EQ("000000005 18446744073709551615", std::string(number.text().data, number.text().size));
}

TEST(Idle, knows_captures_however_they_were_started) {
  const auto capture = [](const std::string& words) {
    return is_capture(words.data(), static_cast<std::uint32_t>(words.size()));
  };
  using std::string_literals::operator""s;
  EXPECT_TRUE(capture("/podshark-agent\0capture\0self\0"s));
  EXPECT_TRUE(capture("podshark-agent\0capture\0-s\0"s));
  EXPECT_FALSE(capture("/podshark-agent\0idle\0"s + "60\0"s));
  EXPECT_FALSE(capture("/podshark-agent\0clock\0"s));
  EXPECT_FALSE(capture("/bin/other\0capture\0"s));
  EXPECT_FALSE(capture("/podshark-agent\0captur"s));
  EXPECT_FALSE(capture("/podshark-agent"s));
  EXPECT_FALSE(capture(""s));
}

}  // namespace
}  // namespace podshark::agent
