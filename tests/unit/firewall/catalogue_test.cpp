// SPDX-License-Identifier: GPL-2.0-or-later
// The failures 1 to 9 of podman's firewall rules, each on rules that were recorded with podman.
#include "podman/firewall/evaluate.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/unit/firewall/rules.h"

namespace podshark::firewall {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const char* const kIptables = "podman-nft1.0.6";  // netavark 1.4, iptables driver
const char* const kNftables = "podman-nft1.1.3";  // netavark 1.14, nftables driver

class Catalogue : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Recorded, Catalogue, testing::Values(kIptables, kNftables));

Chain* find(Ruleset& rules, const std::string& table, const std::string& name) {
  for (Chain& c : rules.chains) {
    if (c.table == table && c.name == name) return &c;
  }
  return nullptr;
}

TEST_P(Catalogue, a_published_port_is_translated_and_forwarded) {
  const Ruleset rules = test::recorded(GetParam());
  const Judgement first = judge(rules, Hook::prerouting, test::arriving(28080));
  EXPECT_EQ(first.outcome, Outcome::accept);
  EXPECT_TRUE(first.certain());
  EXPECT_EQ(first.packet.daddr, test::ip("10.88.0.2"));
  EXPECT_EQ(first.packet.dport, 80);
  EXPECT_TRUE(first.packet.ct_dnat);
  ASSERT_NE(first.nat.rule, nullptr);
  EXPECT_THAT(describe(first.nat), HasSubstr("10.88.0.2:80"));
  EXPECT_FALSE(first.packet.daddr_local);
  EXPECT_THAT(first.path, Not(IsEmpty()));

  const Judgement second = judge(rules, Hook::forward, test::inbound());
  EXPECT_EQ(second.outcome, Outcome::accept);
  EXPECT_TRUE(second.certain());
}

TEST_P(Catalogue, a_range_keeps_its_distance) {
  const Ruleset rules = test::recorded(GetParam());
  const Judgement j = judge(rules, Hook::prerouting, test::arriving(28172));
  EXPECT_EQ(j.packet.daddr, test::ip("10.88.0.2"));
  EXPECT_EQ(j.packet.dport, 91);
}

TEST_P(Catalogue, flushed_rules_leave_the_port_untranslated) {  // catalogue 1
  Ruleset rules = test::recorded(GetParam());
  for (Chain& c : rules.chains) c.rules.clear();
  const Judgement j = judge(rules, Hook::prerouting, test::arriving(28080));
  EXPECT_EQ(j.outcome, Outcome::accept);
  EXPECT_EQ(j.nat.rule, nullptr);
  EXPECT_EQ(j.packet.daddr, test::ip("203.0.113.1"));
}

TEST(Iptables, a_forward_policy_drop_stops_new_inbound_only) {  // catalogue 2
  Ruleset rules = test::recorded(kIptables);
  Chain* forward = find(rules, "filter", "FORWARD");
  ASSERT_NE(forward, nullptr);
  forward->policy = Policy::drop;
  forward->policy_counters = Counters{5, 300};

  const Judgement in = judge(rules, Hook::forward, test::inbound());
  EXPECT_EQ(in.outcome, Outcome::drop);
  EXPECT_TRUE(in.certain());
  EXPECT_EQ(in.by.rule, nullptr);
  EXPECT_EQ(describe(in.by), "iptables table filter chain FORWARD (hook forward, priority 0): policy drop");
  EXPECT_EQ(counters(in.by), (Counters{5, 300}));

  Packet answer = test::inbound();
  answer.ct_state = CtState::established;
  EXPECT_EQ(judge(rules, Hook::forward, answer).outcome, Outcome::accept);
  EXPECT_EQ(judge(rules, Hook::forward, test::outbound()).outcome, Outcome::accept);
}

TEST(Nftables, the_same_policy_stops_both_directions) {  // catalogue 3
  const Ruleset rules =
      test::beside(test::recorded(kNftables), test::save("*filter\n:FORWARD DROP [0:0]\nCOMMIT\n"));
  EXPECT_EQ(judge(rules, Hook::forward, test::inbound()).outcome, Outcome::drop);
  EXPECT_EQ(judge(rules, Hook::forward, test::outbound()).outcome, Outcome::drop);
}

TEST_P(Catalogue, an_accept_of_netavark_does_not_override_a_foreign_drop) {  // catalogue 3
  for (const int priority : {-10, 10}) {
    const Ruleset rules =
        test::beside(test::recorded(GetParam()), test::one_chain("forward", priority, "drop", ""));
    for (const Packet& p : {test::inbound(), test::outbound()}) {
      const Judgement j = judge(rules, Hook::forward, p);
      EXPECT_EQ(j.outcome, Outcome::drop);
      ASSERT_NE(j.by.chain, nullptr);
      EXPECT_EQ(j.by.chain->table, "t");
    }
  }
}

TEST_P(Catalogue, a_dropped_port_is_found_after_and_before_translation) {  // catalogue 4
  const std::string tcp_80 =
      R"({"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}})";
  const Ruleset after =
      test::beside(test::recorded(GetParam()),
                   test::one_chain("forward", -1, "accept", "[" + tcp_80 + R"(, {"drop": null}])"));
  const Judgement j = judge(after, Hook::forward, test::inbound());
  EXPECT_EQ(j.outcome, Outcome::drop);
  EXPECT_EQ(j.by.rule->text, "tcp dport 80 drop");
  EXPECT_EQ(judge(after, Hook::forward, test::outbound()).outcome, Outcome::drop);
  Packet other = test::inbound();
  other.dport = 81;
  EXPECT_EQ(judge(after, Hook::forward, other).outcome, Outcome::accept);

  const std::string port =
      R"({"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 28080}})";
  const Ruleset before = test::beside(
      test::recorded(GetParam()),
      test::one_chain("prerouting", -300, "accept", "[" + port + R"(, {"reject": {"type": "tcp reset"}}])"));
  const Judgement first = judge(before, Hook::prerouting, test::arriving(28080));
  EXPECT_EQ(first.outcome, Outcome::reject);
  ASSERT_FALSE(first.path.empty());
  EXPECT_EQ(first.path.back().what, "reject with tcp reset");
  EXPECT_EQ(first.nat.rule, nullptr);
}

TEST_P(Catalogue, dns_to_the_gateway_is_dropped_by_another_tables_input) {  // catalogue 5
  Packet query;
  query.iif = "podman1";
  query.saddr = test::ip("10.90.1.2");
  query.daddr = test::ip("10.90.1.1");
  query.protocol = 17;
  query.sport = 40000;
  query.dport = 53;
  query.daddr_local = true;
  query.saddr_local = false;
  const Ruleset plain = test::recorded(GetParam());
  EXPECT_EQ(judge(plain, Hook::input, query).outcome, Outcome::accept);
  const Ruleset rules = test::beside(
      plain,
      test::one_chain("input", 10, "accept",
                      R"([{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "podman*"}},
      {"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": 53}}, {"drop": null}])"));
  const Judgement j = judge(rules, Hook::input, query);
  EXPECT_EQ(j.outcome, Outcome::drop);
  EXPECT_EQ(j.by.rule->text, "iifname podman* udp dport 53 drop");
}

TEST_P(Catalogue, local_connections_get_the_mark_that_masquerades_them) {  // catalogue 6
  Ruleset rules = test::recorded(GetParam());
  Packet p = test::arriving(28080);
  p.iif.clear();
  p.oif = "lo";
  p.saddr = p.daddr = test::ip("127.0.0.1");
  p.saddr_local = true;
  const Judgement j = judge(rules, Hook::output, p);
  EXPECT_EQ(j.packet.daddr, test::ip("10.88.0.2"));
  EXPECT_EQ(j.packet.mark.value, 0x2000U);
  Packet leaving = j.packet;
  leaving.oif = "podman0";
  leaving.daddr_local = false;
  EXPECT_TRUE(judge(rules, Hook::postrouting, leaving).packet.source_rewritten);

  for (Chain& c : rules.chains) {
    std::erase_if(c.rules, [](const Rule& r) {
      return std::any_of(r.statements.begin(), r.statements.end(),
                         [](const Statement& s) { return s.target == "NETAVARK-HOSTPORT-SETMARK"; });
    });
  }
  const Judgement unmarked = judge(rules, Hook::output, p);
  EXPECT_EQ(unmarked.packet.daddr, test::ip("10.88.0.2"));
  EXPECT_EQ(unmarked.packet.mark.value, 0U);
}

TEST(Iptables, the_first_of_two_dnats_wins) {  // catalogue 7
  const Ruleset rules =
      test::merge_legacy(test::recorded(kIptables), test::fixture("legacy-nft1.0.6.legacy4"));
  const Judgement j = judge(rules, Hook::prerouting, test::arriving(28080));
  EXPECT_EQ(j.packet.daddr, test::ip("10.88.0.2"));
  Ruleset other = test::save(test::fixture("legacy-nft1.0.6.legacy4"), Family::ip, Maker::iptables_legacy);
  const Ruleset reversed = test::beside(std::move(other), test::recorded(kIptables));
  EXPECT_EQ(judge(reversed, Hook::prerouting, test::arriving(28080)).packet.daddr, test::ip("10.88.0.99"));
}

TEST_P(Catalogue, isolated_networks_drop_each_other) {  // catalogue 8
  const Ruleset rules = test::recorded(GetParam());
  Packet p = test::outbound();
  p.iif = "podman1";
  p.oif = "podman2";
  p.saddr = test::ip("10.90.1.2");
  p.daddr = test::ip("10.90.2.2");
  const Judgement j = judge(rules, Hook::forward, p);
  EXPECT_EQ(j.outcome, Outcome::drop);
  EXPECT_THAT(j.by.chain->name, HasSubstr("ISOLATION"));
  p.oif = "podman1";
  p.daddr = test::ip("10.90.1.3");
  EXPECT_EQ(judge(rules, Hook::forward, p).outcome, Outcome::accept);
  p.oif = "wan0";
  p.daddr = test::ip("203.0.113.2");
  EXPECT_EQ(judge(rules, Hook::forward, p).outcome, Outcome::accept);
}

TEST(Nftables, strict_isolation_drops_towards_ordinary_bridges_too) {  // catalogue 8
  const Ruleset rules = test::recorded("netavark-strict-nft1.0.6");
  Packet p = test::outbound();
  p.oif = "podman0";
  p.iif = "podman5";
  EXPECT_EQ(judge(rules, Hook::forward, p).outcome, Outcome::drop);
  p.iif = "podman2";  // isolate=true does not reach the ordinary one
  EXPECT_EQ(judge(rules, Hook::forward, p).outcome, Outcome::accept);
}

TEST(Nftables, invalid_packets_are_dropped_by_netavark_itself) {  // catalogue 9
  Packet p = test::inbound();
  p.ct_state = CtState::invalid;
  const Judgement j = judge(test::recorded_once(kNftables), Hook::forward, p);
  EXPECT_EQ(j.outcome, Outcome::drop);
  EXPECT_EQ(j.by.rule->text, "ct state invalid drop");
  EXPECT_EQ(judge(test::recorded_once(kIptables), Hook::forward, p).outcome, Outcome::accept);
}

TEST_P(Catalogue, a_port_of_one_host_address_is_not_translated_for_others) {  // catalogue 28
  const Ruleset rules = test::recorded(GetParam());
  EXPECT_EQ(judge(rules, Hook::prerouting, test::arriving(28043)).nat.rule, nullptr);
  Packet p = test::arriving(28043);
  p.daddr = test::ip("127.0.0.1");
  EXPECT_NE(judge(rules, Hook::output, p).nat.rule, nullptr);
}

}  // namespace
}  // namespace podshark::firewall
