// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/drop_counters.h"

#include <gtest/gtest.h>

#include "podman/firewall/parse_iptables.h"
#include "podman/firewall/parse_nft.h"

namespace podshark::firewall {
namespace {

Ruleset nft(const std::string& rules) {
  Result<Ruleset> out = parse_nft_json(
      R"({"nftables": [{"table": {"family": "inet", "name": "t", "handle": 1}},
         {"chain": {"family": "inet", "table": "t", "name": "f", "handle": 1, "type": "filter", "hook": "forward", "prio": 0, "policy": "accept"}})" +
      rules + "]}");
  EXPECT_TRUE(out);
  return out ? *out : Ruleset();
}

std::string rule(unsigned handle, unsigned packets, const char* verdict) {
  return R"(, {"rule": {"family": "inet", "table": "t", "chain": "f", "handle": )" + std::to_string(handle) +
         R"(, "expr": [{"counter": {"packets": )" + std::to_string(packets) + R"(, "bytes": 0}}, {")" +
         verdict + R"(": null}]}})";
}

TEST(DropCounters, of_rules_that_drop_and_count) {
  const DropCounters before =
      drop_counters(nft(rule(4, 7, "drop") + rule(5, 1, "accept") + rule(6, 2, "reject")));
  EXPECT_EQ(2U, before.size());
  // Another rule has come before it, and its text says other numbers.
  const DropCounters after =
      drop_counters(nft(rule(9, 50, "drop") + rule(4, 10, "drop") + rule(6, 2, "reject")));
  const std::vector<DropCounter> told = gained(before, after);
  ASSERT_EQ(1U, told.size());
  EXPECT_EQ(3U, told[0].packets);
  EXPECT_NE(std::string::npos, told[0].rule.find("table inet t chain f")) << told[0].rule;
}

TEST(DropCounters, that_were_reset_are_left_out) {
  EXPECT_TRUE(gained(drop_counters(nft(rule(4, 7, "drop"))), drop_counters(nft(rule(4, 1, "drop")))).empty());
}

TEST(DropCounters, of_iptables_with_its_policy) {
  const auto of = [](const char* policy, const char* first) {
    const std::string text =
        "*filter\n:INPUT ACCEPT [5:500]\n:FORWARD DROP [" + std::string(policy) + ":1]\n[" + first +
        ":1] -A FORWARD -p tcp -m tcp --dport 80 -j DROP\n[9:1] -A FORWARD -j ACCEPT\nCOMMIT\n";
    return drop_counters(*parse_iptables_save(text, Family::ip, Maker::iptables_legacy));
  };
  const std::vector<DropCounter> told = gained(of("3", "4"), of("5", "8"));
  ASSERT_EQ(2U, told.size());
  EXPECT_EQ(6U, told[0].packets + told[1].packets);
}

}  // namespace
}  // namespace podshark::firewall
