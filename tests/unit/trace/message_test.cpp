// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/trace/message.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/trace/messages.h"

namespace podshark::trace {
namespace {

using firewall::Family;
using firewall::Hook;
using test::Made;

const std::string kSyn = test::ipv4("10.88.0.3", "10.88.0.2", 6, 99);

Made jump() {
  Made m;
  m.table = "nat";
  m.chain = "PREROUTING";
  m.handle = 0x100000002;
  m.verdict = NFT_JUMP;
  m.target = "NETAVARK-HOSTPORT-DNAT";
  m.network = kSyn;
  m.transport = test::tcp(40000, 80, 1234, 2);
  return m;
}

TEST(Message, a_rule_of_nft_with_its_packet) {
  const auto e = parse_message(test::nft_trace(jump()));
  ASSERT_TRUE(e);
  EXPECT_FALSE(e->legacy);
  EXPECT_EQ(e->type, Event::Type::rule);
  EXPECT_EQ(e->family, Family::ip);
  EXPECT_EQ(e->table, "nat");
  EXPECT_EQ(e->chain, "PREROUTING");
  EXPECT_EQ(e->handle, 0x100000002U);
  EXPECT_EQ(e->verdict, Verdict::jump);
  EXPECT_EQ(e->target, "NETAVARK-HOSTPORT-DNAT");
  EXPECT_EQ(e->iif, 7U);
  ASSERT_TRUE(e->headers);
  EXPECT_EQ(to_string(*e->headers), "tcp 10.88.0.3:40000 → 10.88.0.2:80 (SYN)");
  EXPECT_EQ(e->headers->ip_id, 99);
  EXPECT_EQ(e->headers->seq, 1234U);
}

TEST(Message, a_policy_has_no_handle) {
  Made m = jump();
  m.type = NFT_TRACETYPE_POLICY;
  m.handle = 0;
  m.verdict = NF_DROP;
  const auto e = parse_message(test::nft_trace(m));
  ASSERT_TRUE(e);
  EXPECT_EQ(e->type, Event::Type::policy);
  EXPECT_EQ(e->verdict, Verdict::drop);
}

TEST(Message, the_end_of_a_chain_comes_as_a_rule_without_handle) {
  Made m = jump();
  m.handle = 0;
  m.verdict = NFT_CONTINUE;
  EXPECT_EQ(parse_message(test::nft_trace(m))->type, Event::Type::ret);
}

TEST(Message, verdicts) {
  const std::pair<std::int32_t, Verdict> kAll[] = {
      {NF_DROP, Verdict::drop},    {NF_ACCEPT, Verdict::accept}, {NF_STOLEN, Verdict::stolen},
      {NF_QUEUE, Verdict::queue},  {0x00050003, Verdict::queue}, {NFT_CONTINUE, Verdict::go_on},
      {NFT_BREAK, Verdict::go_on}, {NFT_GOTO, Verdict::go_to},   {NFT_RETURN, Verdict::ret},
      {NF_REPEAT, Verdict::none},
  };
  for (const auto& [code, verdict] : kAll) {
    Made m = jump();
    m.verdict = code;
    EXPECT_EQ(parse_message(test::nft_trace(m))->verdict, verdict) << code;
  }
}

TEST(Message, a_line_of_legacy_iptables) {
  const auto e = parse_message(
      test::legacy_trace("TRACE: filter:FORWARD:rule:3 ", 2, kSyn + test::tcp(40000, 80, 1, 2)));
  ASSERT_TRUE(e);
  EXPECT_TRUE(e->legacy);
  EXPECT_EQ(e->table, "filter");
  EXPECT_EQ(e->chain, "FORWARD");
  EXPECT_EQ(e->number, 3U);
  EXPECT_EQ(e->hook, Hook::forward);
  EXPECT_EQ(e->headers->dport, 80);
}

TEST(Message, a_chain_may_have_colons_in_its_name) {
  const auto e = parse_message(test::legacy_trace("TRACE: nat:a:rule:b:policy:12 ", 0, kSyn));
  ASSERT_TRUE(e);
  EXPECT_EQ(e->table, "nat");
  EXPECT_EQ(e->chain, "a:rule:b");
  EXPECT_EQ(e->type, Event::Type::policy);
}

TEST(Message, what_else_is_logged_is_nothing) {
  for (const char* line : {"", "TRACE: ", "TRACE: filter", "TRACE: :::", "TRACE: filter:rule:1",
                           "dropped: ", "TRACE: filter:FORWARD:rule:", "TRACE: filter:FORWARD:rule:x",
                           "TRACE: filter:FORWARD:chain:1", "TRACE: filter:FORWARD:rule:99999999999"}) {
    EXPECT_FALSE(parse_message(test::legacy_trace(line, 2, kSyn))) << line;
  }
  EXPECT_FALSE(parse_message(test::legacy_trace("TRACE: filter:FORWARD:rule:1", 2, "")));
  EXPECT_FALSE(parse_message(test::message(1, 1, 2, {})));
}

TEST(Message, truncated_anywhere_it_is_nothing_or_less) {
  for (const std::string& whole :
       {test::nft_trace(jump()), test::legacy_trace("TRACE: filter:FORWARD:rule:3 ", 2, kSyn)}) {
    for (std::size_t n = 0; n < whole.size(); ++n) {
      EXPECT_FALSE(parse_message(std::string_view(whole).substr(0, n)));
      std::string shorter = whole.substr(0, n);  // of a heap block that ends there, its length told right
      if (n < sizeof(nlmsghdr)) continue;
      const auto length = static_cast<std::uint32_t>(n);
      std::memcpy(shorter.data(), &length, sizeof(length));
      (void)parse_message(shorter);
    }
  }
}

TEST(Message, attributes_with_impossible_lengths_end_the_reading) {
  const std::string bad = std::string("\xFF\xFF\x01\x00", 4);
  EXPECT_FALSE(parse_message(test::message(NFNL_SUBSYS_NFTABLES, NFT_MSG_TRACE, 2, bad)));
  const std::string short_numbers =
      test::attribute(NFTA_TRACE_TYPE, "\x01") + test::attribute(NFTA_TRACE_ID, "");
  EXPECT_FALSE(parse_message(test::message(NFNL_SUBSYS_NFTABLES, NFT_MSG_TRACE, 2, short_numbers)));
}

TEST(Message, several_in_one_datagram) {
  std::string all = test::nft_trace(jump());
  all.resize((all.size() + 3) & ~std::size_t{3});
  const std::string table = test::message(NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWTABLE, 1,
                                          test::text(NFTA_TABLE_NAME, "podshark_trace_7"));
  all += table;
  std::vector<std::string> seen;
  each_message(all, [&](std::string_view m) { seen.emplace_back(m); });
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(new_table(seen[0]), "");
  EXPECT_EQ(new_table(seen[1]), "podshark_trace_7");
  std::size_t count = 0;
  each_message(all.substr(0, all.size() - 1), [&](std::string_view /*m*/) { ++count; });
  EXPECT_EQ(count, 1U);
}

TEST(Headers, icmp_echo_has_its_id_for_ports) {
  const auto h = parse_headers(test::ipv4("10.0.0.1", "10.0.0.2", 1, 5),
                               test::big(0x0800, 2) + test::big(0, 2) + test::big(777, 2) + test::big(3, 2));
  ASSERT_TRUE(h);
  EXPECT_EQ(h->sport, 777);
  EXPECT_EQ(h->dport, 777);
  EXPECT_EQ(to_string(*h), "icmp 10.0.0.1 → 10.0.0.2 (type 8)");
}

TEST(Headers, ipv6) {
  std::string network = test::big(0x60000000, 4) + test::big(20, 2) + test::big(17, 1) + test::big(64, 1);
  for (const char* a : {"fd00::1", "fd00::2"}) {
    const auto address = IpAddress::parse(a);
    network.append(reinterpret_cast<const char*>(address->bytes.data()), 16);
  }
  const auto h = parse_headers(network, test::big(53, 2) + test::big(54, 2) + test::big(0, 4));
  ASSERT_TRUE(h);
  EXPECT_EQ(to_string(*h), "udp [fd00::1]:53 → [fd00::2]:54");
  EXPECT_FALSE(parse_headers(network.substr(0, 39), ""));
}

TEST(Headers, what_is_too_short_has_no_ports) {
  EXPECT_FALSE(parse_headers("", ""));
  EXPECT_FALSE(parse_headers(kSyn.substr(0, 19), ""));
  EXPECT_FALSE(parse_headers(std::string(40, '\x30'), ""));
  EXPECT_FALSE(parse_headers(kSyn, "1234567")->transport);
  EXPECT_FALSE(parse_packet(kSyn.substr(0, 19)));
  EXPECT_FALSE(parse_packet("\x41"));
}

TEST(Headers, a_later_fragment_has_no_ports) {
  std::string fragment = kSyn;
  fragment[7] = 5;
  EXPECT_FALSE(parse_headers(fragment, test::tcp(1, 2, 3, 4))->transport);
}

TEST(Headers, a_translated_packet_is_the_same_one_a_retransmission_is_not) {
  const auto sent = *parse_headers(kSyn, test::tcp(40000, 8080, 1, 2));
  const auto dnat = *parse_headers(test::ipv4("10.88.0.3", "10.9.9.9", 6, 99), test::tcp(40000, 80, 1, 2));
  const auto again =
      *parse_headers(test::ipv4("10.88.0.3", "10.88.0.2", 6, 100), test::tcp(40000, 8080, 1, 2));
  const auto both = *parse_headers(test::ipv4("10.1.1.1", "10.9.9.9", 6, 99), test::tcp(40000, 80, 1, 2));
  EXPECT_TRUE(same_packet(sent, dnat));
  EXPECT_FALSE(same_packet(sent, again));
  EXPECT_FALSE(same_packet(sent, both));
  EXPECT_TRUE(same_packet(dnat, both));
}

}  // namespace
}  // namespace podshark::trace
