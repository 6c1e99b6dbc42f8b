// SPDX-License-Identifier: GPL-2.0-or-later
// What is made of the listings of nft and iptables-save when some of them failed.
#include <gmock/gmock.h>

#include "extcap/check/parts.h"

namespace podshark::extcap::check {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const char* const kNft = R"(0{"nftables": []})";
const char* const kSave = "0*filter\n:FORWARD DROP [0:0]\nCOMMIT\n";

TEST(FirewallListings, all_good_leave_nothing_out) {
  const Result<firewall::Ruleset> rules = rules_of({kNft, kSave, "0", "-", "-"});
  ASSERT_TRUE(rules) << rules.error().line();
  EXPECT_EQ(1U, rules->chains.size());
  EXPECT_THAT(left_out(*rules, "the host"), IsEmpty());
}

TEST(FirewallListings, without_nfts_nothing_is_judged) {
  const Result<firewall::Ruleset> rules =
      rules_of({"1netlink: Error: cache initialization failed", kSave, "0", "-", "-"});
  ASSERT_FALSE(rules);
  EXPECT_THAT(rules.error().what, HasSubstr("nft failed: netlink: Error"));
}

TEST(FirewallListings, who_may_list_none_is_told_to_use_sudo) {
  const Result<firewall::Ruleset> rules = rules_of({"1x", "1y", "1y", "-", "-"});
  ASSERT_FALSE(rules);
  EXPECT_EQ(ErrorKind::permission, rules.error().kind);
}

TEST(FirewallListings, one_of_iptables_that_fails_is_unseen) {
  const Result<firewall::Ruleset> rules = rules_of({kNft, kSave, "0", "1Fatal: can't open lock file", "-"});
  ASSERT_TRUE(rules) << rules.error().line();
  const std::vector<diagnose::Unseen> unseen = left_out(*rules, "the host");
  ASSERT_EQ(1U, unseen.size());
  EXPECT_EQ("some firewall rules of the host", unseen.front().what);
  EXPECT_EQ("iptables-legacy-save failed: Fatal: can't open lock file", unseen.front().why);
}

TEST(FirewallListings, tables_that_iptables_can_not_read_are_nfts) {
  const std::string save =
      "0# Table `filter' contains incompatible base-chains, use 'nft' tool to list them.\n";
  const Result<firewall::Ruleset> rules = rules_of({kNft, save, "0", "-", "-"});
  ASSERT_TRUE(rules) << rules.error().line();
  EXPECT_THAT(left_out(*rules, "the host"), IsEmpty());
  const Result<firewall::Ruleset> alone = rules_of({"-", save, "0", "-", "-"});
  ASSERT_TRUE(alone) << alone.error().line();
  EXPECT_EQ(2U, left_out(*alone, "the host").size());
}

TEST(FirewallListings, many_notes_are_counted) {
  firewall::Ruleset rules;
  for (int i = 0; i < 9; ++i) rules.note("line of iptables-save not understood: " + std::to_string(i));
  const std::vector<diagnose::Unseen> unseen = left_out(rules, "the host");
  ASSERT_EQ(4U, unseen.size());
  EXPECT_THAT(unseen.back().why, HasSubstr("and 5 more"));
}

}  // namespace
}  // namespace podshark::extcap::check
