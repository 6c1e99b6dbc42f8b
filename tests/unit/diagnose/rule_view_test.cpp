// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/rule_view.h"

#include <gmock/gmock.h>

#include "tests/unit/diagnose/world.h"

namespace podshark::diagnose {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string chain(const std::string& name, const std::string& type, const std::string& hook) {
  return R"({"chain":{"family":"ip","table":"t","name":")" + name + R"(","handle":1,"type":")" + type +
         R"(","hook":")" + hook + R"(","prio":0,"policy":"accept"}})";
}

std::string rule(const std::string& in, int port, const std::string& statement, int counted = 0) {
  return R"({"rule":{"family":"ip","table":"t","chain":")" + in +
         R"(","handle":5,"expr":[{"match":{"op":"==","left":{"payload":{"protocol":"tcp","field":"dport"}},"right":)" +
         std::to_string(port) + R"(}},{"counter":{"packets":)" + std::to_string(counted) +
         R"(,"bytes":0}},)" + statement + "]}}";
}

std::string listing(const std::vector<std::string>& rules) {
  std::string out = R"({"nftables":[{"table":{"family":"ip","name":"t","handle":1}},)" +
                    chain("n", "nat", "prerouting") + "," + chain("f", "filter", "forward");
  for (const std::string& r : rules) out += "," + r;
  return out + "]}";
}

const std::string kDnat = rule("n", 8080, R"({"dnat":{"addr":"10.88.0.2","port":80}})");
const std::string kDrop = rule("f", 80, R"({"drop":null})");

class Views : public World {
 protected:
  RuleViews with(const std::vector<std::string>& list) {
    rules(listing(list));
    return rule_views(facts);
  }
};

TEST_F(Views, the_same_rules_are_no_change_whatever_they_have_counted) {
  const RuleViews before = with({kDnat, kDrop});
  ASSERT_EQ(1U, before.size());
  EXPECT_THAT(changes(before, with({kDnat, rule("f", 80, R"({"drop":null})", 17)})), IsEmpty());
}

TEST_F(Views, a_translation_that_vanishes_and_comes_back) {
  const RuleViews whole = with({kDnat}), without = with({});
  const std::vector<RuleChange> lost = changes(whole, without);
  ASSERT_EQ(1U, lost.size());
  EXPECT_EQ("translation-vanished", lost[0].what);
  EXPECT_TRUE(lost[0].worse);
  EXPECT_EQ("container web: a client outside to the host's tcp port 8080: DNAT to 10.88.0.2:80 vanished",
            lost[0].detail);
  const std::vector<RuleChange> back = changes(without, whole);
  ASSERT_EQ(1U, back.size());
  EXPECT_EQ("translation-appeared", back[0].what);
  EXPECT_FALSE(back[0].worse);
}

TEST_F(Views, a_translation_to_somebody_else) {
  const std::vector<RuleChange> moved =
      changes(with({kDnat}), with({rule("n", 8080, R"({"dnat":{"addr":"10.88.0.9","port":80}})")}));
  ASSERT_EQ(1U, moved.size());
  EXPECT_EQ("translation-changed", moved[0].what);
  EXPECT_THAT(moved[0].detail, HasSubstr("DNAT to 10.88.0.9:80, it was DNAT to 10.88.0.2:80"));
}

TEST_F(Views, a_way_that_is_blocked_names_the_rule) {
  const std::vector<RuleChange> told = changes(with({kDnat}), with({kDnat, kDrop}));
  ASSERT_FALSE(told.empty());
  EXPECT_EQ("blocked", told[0].what);
  EXPECT_EQ(std::string(64, 'a'), told[0].container_id);
  EXPECT_THAT(
      told[0].detail,
      HasSubstr("now drop by table ip t chain f (hook forward, priority 0): tcp dport 80 counter drop"));
  EXPECT_EQ("unblocked", changes(with({kDnat, kDrop}), with({kDnat}))[0].what);
}

TEST_F(Views, a_way_that_can_not_be_followed_to_the_end_has_no_change) {
  const RuleViews blocked = with({kDrop});
  std::string chains = "*filter\n:FORWARD DROP [0:0]\n:C0 - [0:0]\n", jumps = "-A FORWARD -j C0\n";
  for (int i = 0; i < 20; ++i) {  // deeper than the kernel allows
    chains += ":C" + std::to_string(i + 1) + " - [0:0]\n";
    jumps += "-A C" + std::to_string(i) + " -j C" + std::to_string(i + 1) + "\n";
  }
  iptables(chains + jumps + "COMMIT\n");
  EXPECT_THAT(changes(blocked, rule_views(facts)), IsEmpty());
}

TEST_F(Views, who_starts_or_restarts_has_no_changes) {
  const RuleViews before = with({kDnat});
  web().pid = 101;
  EXPECT_THAT(changes(before, with({})), IsEmpty());
  web().pid = 0;
  EXPECT_THAT(with({}), IsEmpty());
}

TEST_F(Views, rules_that_can_not_be_seen_are_no_view) {
  facts.host.firewall.reset();
  EXPECT_THAT(rule_views(facts), IsEmpty());
}

}  // namespace
}  // namespace podshark::diagnose
