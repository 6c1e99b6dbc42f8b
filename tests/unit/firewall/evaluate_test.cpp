// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/evaluate.h"

#include <gmock/gmock.h>

#include "tests/unit/firewall/rules.h"

namespace podshark::firewall {
namespace {

using testing::HasSubstr;

const char* const kNftables = "podman-nft1.1.3";

TEST(Judge, nat_chains_see_new_connections_only) {
  Packet p = test::arriving(28080);
  p.ct_state = CtState::established;
  EXPECT_EQ(judge(test::recorded_once(kNftables), Hook::prerouting, p).nat.rule, nullptr);
}

TEST(Judge, an_unknown_match_never_decides_but_is_told) {
  const Ruleset rules = test::one_chain(
      "forward", 0, "accept",
      R"([{"match": {"op": "==", "left": {"meta": {"key": "skuid"}}, "right": 0}}, {"drop": null}])");
  const Judgement j = judge(rules, Hook::forward, test::inbound());
  EXPECT_EQ(j.outcome, Outcome::accept);
  ASSERT_EQ(j.uncertain.size(), 1U);
  EXPECT_EQ(j.uncertain[0].rule->text, "meta skuid 0 drop");
  EXPECT_FALSE(j.certain());
}

TEST(Judge, a_match_that_surely_fails_makes_an_unknown_one_harmless) {
  const Ruleset rules = test::one_chain("forward", 0, "accept", R"([{"limit": {"rate": 3, "per": "second"}},
      {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 81}}, {"drop": null}])");
  EXPECT_TRUE(judge(rules, Hook::forward, test::inbound()).certain());
}

TEST(Judge, a_mark_that_may_have_been_set_is_not_known) {
  const Ruleset rules = test::save(
      "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m owner --uid-owner 5 -j MARK --set-xmark 0x10/0xff\n"
      "-A FORWARD -m mark --mark 0x10/0x10 -j DROP\n-A FORWARD -m mark --mark 0x100/0x100 -j DROP\nCOMMIT\n");
  const Judgement j = judge(rules, Hook::forward, test::inbound());
  EXPECT_EQ(j.outcome, Outcome::accept);
  ASSERT_EQ(j.uncertain.size(), 1U);
  EXPECT_THAT(j.uncertain[0].rule->text, HasSubstr("0x10/0x10"));
}

TEST(Judge, goto_does_not_come_back_and_return_does) {
  const std::string head = "*filter\n:FORWARD ACCEPT [0:0]\n:X - [0:0]\n:Y - [0:0]\n";
  const std::string tail = "-A FORWARD -j DROP\n-A X -j RETURN\n-A X -j DROP\nCOMMIT\n";
  const Ruleset gone = test::save(head + "-A FORWARD -g X\n" + tail);
  EXPECT_EQ(judge(gone, Hook::forward, test::inbound()).outcome, Outcome::accept);
  const Ruleset jump = test::save(head + "-A FORWARD -j X\n" + tail);
  const Judgement j = judge(jump, Hook::forward, test::inbound());
  EXPECT_EQ(j.outcome, Outcome::drop);
  EXPECT_EQ(j.by.rule->number, 2U);
  const Ruleset nested = test::save(head + "-A FORWARD -j Y\n-A Y -g X\n-A Y -j ACCEPT\n" + tail);
  EXPECT_EQ(judge(nested, Hook::forward, test::inbound()).outcome, Outcome::drop);
}

TEST(Judge, endless_and_exponential_jumps_end) {
  const Ruleset loop =
      test::save("*filter\n:FORWARD ACCEPT [0:0]\n:X - [0:0]\n-A FORWARD -j X\n-A X -j X\nCOMMIT\n");
  EXPECT_FALSE(judge(loop, Hook::forward, test::inbound()).complete);
  const Ruleset circle =
      test::save("*filter\n:FORWARD ACCEPT [0:0]\n:X - [0:0]\n-A FORWARD -g X\n-A X -g X\nCOMMIT\n");
  EXPECT_FALSE(judge(circle, Hook::forward, test::inbound()).complete);
  std::string text = "*filter\n:FORWARD ACCEPT [0:0]\n";
  for (char c = 'A'; c <= 'N'; ++c) text += std::string(":") + c + " - [0:0]\n";
  text += "-A FORWARD -j A\n";
  for (char c = 'A'; c < 'N'; ++c) {
    for (int i = 0; i < 8; ++i) text += std::string("-A ") + c + " -j " + static_cast<char>(c + 1) + "\n";
  }
  const Ruleset dag = test::save(text + "COMMIT\n");
  EXPECT_FALSE(judge(dag, Hook::forward, test::inbound()).complete);
}

TEST(Judge, verdict_maps_choose_by_row_and_fall_through) {
  const std::string map =
      R"([{"vmap": {"key": {"ct": {"key": "state"}}, "data": {"set": [["invalid", {"drop": null}],
      ["established", {"accept": null}]]}}}])";
  const Ruleset rules = test::one_chain("forward", 0, "drop", map);
  Packet p = test::inbound();
  EXPECT_EQ(judge(rules, Hook::forward, p).by.rule, nullptr);
  p.ct_state = CtState::established;
  EXPECT_EQ(judge(rules, Hook::forward, p).outcome, Outcome::accept);
  p.ct_state = CtState::invalid;
  EXPECT_NE(judge(rules, Hook::forward, p).by.rule, nullptr);
}

TEST(Judge, statements_before_a_match_act_even_if_it_fails) {
  const Ruleset rules =
      test::one_chain("forward", 0, "accept", R"([{"mangle": {"key": {"meta": {"key": "mark"}}, "value": 5}},
      {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 81}}, {"drop": null}])");
  const Judgement j = judge(rules, Hook::forward, test::inbound());
  EXPECT_EQ(j.outcome, Outcome::accept);
  EXPECT_EQ(j.packet.mark.value, 5U);
}

TEST(Judge, rules_for_ipv6_do_not_touch_ipv4) {
  const Ruleset rules =
      test::one_chain("forward", 0, "accept",
                      R"([{"match": {"op": "!=", "left": {"payload": {"protocol": "ip6", "field": "saddr"}},
      "right": "fd00::1"}}, {"drop": null}])");
  EXPECT_EQ(judge(rules, Hook::forward, test::inbound()).outcome, Outcome::accept);
}

TEST(Judge, without_base_chains_everything_passes) {
  const Ruleset none;
  const Judgement j = judge(none, Hook::forward, test::inbound());
  EXPECT_EQ(j.outcome, Outcome::accept);
  EXPECT_EQ(describe(j.by), "no rules at this hook");
  EXPECT_EQ(to_string(test::inbound()), "tcp 203.0.113.2:40000 → 10.88.0.2:80 (iif wan0, oif podman0, new)");
}

TEST(Docker, its_policy_drops_podmans_inbound_packets) {
  const Ruleset rules = test::beside(test::recorded("docker-nft1.0.6"), test::recorded(kNftables));
  const Judgement j = judge(rules, Hook::forward, test::inbound());
  EXPECT_EQ(j.outcome, Outcome::drop);
  EXPECT_TRUE(j.certain());
  EXPECT_EQ(j.by.chain->name, "FORWARD");
  Packet bad = test::inbound();
  bad.saddr = test::ip("198.51.100.7");
  EXPECT_EQ(judge(rules, Hook::forward, bad).by.chain->name, "DOCKER-USER");
}

TEST(Ufw, its_forward_policy_drops_and_its_route_rule_allows) {
  const Ruleset rules = test::recorded("ufw-nft1.1.3");
  Packet p = test::inbound();
  EXPECT_EQ(judge(rules, Hook::forward, p).outcome,
            Outcome::accept);  // ufw route allow in on wan0 out on podman0
  p.iif = "wan1";
  EXPECT_EQ(judge(rules, Hook::forward, p).outcome, Outcome::drop);
  EXPECT_EQ(judge(rules, Hook::forward, test::outbound()).outcome, Outcome::drop);
}

TEST(Firewalld, the_default_zone_rejects_and_the_trusted_one_accepts) {
  const Ruleset rules = test::recorded("firewalld-nft1.1.3");
  const Judgement out = judge(rules, Hook::forward, test::outbound());  // source 10.88.0.0/16 is trusted
  EXPECT_EQ(out.outcome, Outcome::accept);
  Packet p = test::outbound();
  p.saddr = test::ip("10.89.0.2");
  const Judgement other = judge(rules, Hook::forward, p);
  EXPECT_EQ(other.outcome, Outcome::reject);
  EXPECT_EQ(other.by.chain->table, "firewalld");
}

}  // namespace
}  // namespace podshark::firewall
