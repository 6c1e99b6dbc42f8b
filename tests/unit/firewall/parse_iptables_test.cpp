// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/parse_iptables.h"

#include <gmock/gmock.h>

#include "podman/firewall/iptables_target.h"
#include "podman/firewall/iptables_words.h"
#include "tests/unit/firewall/rules.h"

namespace podshark::firewall {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Rule rule_of(const std::string& line, Family family = Family::ip) {
  const Ruleset rules =
      test::save("*filter\n:FORWARD ACCEPT [0:0]\n:X - [0:0]\n" + line + "\nCOMMIT\n", family);
  EXPECT_THAT(rules.notes, IsEmpty());
  return rules.chains.at(0).rules.at(0);
}

TEST(ShellWords, quotes_and_backslashes_hold_words_together) {
  EXPECT_THAT(shell_words("-A X  --comment \"a \\\"b\\\" c\" d\\ e"), ElementsAre("-A", "X", "--comment",
                                                                                  "\x01"
                                                                                  "a \"b\" c",
                                                                                  "d e"));
  EXPECT_THAT(shell_words(""), IsEmpty());
  EXPECT_THAT(shell_words("\"\" \"open"), ElementsAre("\x01", "\x01open"));
}

TEST(ParseIptables, built_in_chains_have_hook_priority_policy_and_counters) {
  const Ruleset rules = test::save(
      "*filter\n:FORWARD DROP [12:720]\n:X - [0:0]\nCOMMIT\n*nat\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n");
  ASSERT_EQ(rules.chains.size(), 3U);
  EXPECT_EQ(rules.chains[0].hook, Hook::forward);
  EXPECT_EQ(rules.chains[0].policy, Policy::drop);
  EXPECT_EQ(rules.chains[0].policy_counters, (Counters{12, 720}));
  EXPECT_EQ(rules.chains[1].hook, Hook::none);
  EXPECT_EQ(rules.chains[2].type, ChainType::nat);
  EXPECT_EQ(rules.chains[2].priority, 100);
  EXPECT_EQ(place(rules.chains[0]), "iptables table filter chain FORWARD");
}

TEST(ParseIptables, a_comment_can_not_pretend_to_be_options) {
  const Rule r = rule_of(
      R"([1:60] -A FORWARD -s 198.51.100.0/24 -m comment --comment "a \"bad\" net, -j ACCEPT" -j DROP)");
  EXPECT_EQ(r.comment, "a \"bad\" net, -j ACCEPT");
  EXPECT_EQ(r.counters, (Counters{1, 60}));
  ASSERT_EQ(r.statements.size(), 1U);
  EXPECT_EQ(r.statements[0].action, Action::drop);
  EXPECT_EQ(r.text.substr(0, 12), "-A FORWARD -");
  EXPECT_EQ(rule_of("-A FORWARD -m comment --comment -j -j DROP").statements.at(0).action, Action::drop);
  EXPECT_EQ(rule_of("-A FORWARD -m comment --comment \"-j\" -j DROP").statements.at(0).action, Action::drop);
}

TEST(ParseIptables, usual_matches_are_understood) {
  const char* lines[] = {"! -i docker0 -o podman+",
                         "-p tcp -m tcp --dport 8000:8010",
                         "-p udp -m multiport --dports 53,5353",
                         "-m conntrack --ctstate RELATED,ESTABLISHED",
                         "-m state --state NEW",
                         "-m mark --mark 0x2000/0x2000",
                         "-m addrtype --dst-type LOCAL",
                         "-p icmp -m icmp --icmp-type 3/4",
                         "-m iprange --src-range 10.0.0.1-10.0.0.9",
                         "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN",
                         "-m conntrack --ctstate DNAT",
                         "-m conntrack --ctdir ORIGINAL"};
  for (const char* line : lines) {
    const Rule r = rule_of(std::string("-A FORWARD ") + line + " -j ACCEPT");
    EXPECT_FALSE(r.matches.empty()) << line;
    for (const Match& m : r.matches) EXPECT_FALSE(m.is(Field::unknown)) << line;
  }
}

TEST(ParseIptables, unknown_extensions_are_kept_with_their_options) {
  const Rule r =
      rule_of("-A FORWARD -m set ! --match-set bad src -m limit --limit 3/min --limit-burst 10 -p tcp -j X");
  ASSERT_EQ(r.matches.size(), 3U);
  EXPECT_EQ(r.matches[0].text, "-m set ! --match-set bad src");
  EXPECT_EQ(r.matches[1].text, "-m limit --limit 3/min --limit-burst 10");
  EXPECT_TRUE(r.matches[2].is(Field::protocol));
  EXPECT_EQ(r.statements.at(0).action, Action::jump);
  EXPECT_EQ(r.statements.at(0).target, "X");
  EXPECT_TRUE(rule_of("-A FORWARD -m socket -j DROP").matches.at(0).is(Field::unknown));
  EXPECT_TRUE(rule_of("-A FORWARD -f -j DROP").matches.at(0).is(Field::unknown));
  EXPECT_EQ(rule_of("-A FORWARD -j FANCY --x 1").statements.at(0).action, Action::unknown);
  EXPECT_EQ(rule_of("-A FORWARD -g X").statements.at(0).action, Action::go_to);
  EXPECT_THAT(rule_of("-A FORWARD -j LOG --log-prefix \"x -j DROP\"").statements, IsEmpty());
}

TEST(ParseIptables, nat_targets_of_all_spellings) {
  const auto range = parse_nat_target("10.88.0.2:90-92/28171");
  ASSERT_TRUE(range && range->address && range->ports);
  EXPECT_EQ(range->address->text(), "10.88.0.2");
  EXPECT_EQ(range->ports->text(), "90-92");
  EXPECT_EQ(range->base, 28171);
  EXPECT_EQ(parse_nat_target("[fd00::2]:80")->address->text(), "fd00::2");
  EXPECT_EQ(parse_nat_target("fd00::2")->address->text(), "fd00::2");
  EXPECT_EQ(parse_nat_target(":80")->ports->text(), "80");
  for (const char* text : {"", ":", "[fd00::2", "[fd00::2]80", "10.0.0.1:x", "10.0.0.1:80/x", "x:80"}) {
    EXPECT_FALSE(parse_nat_target(text)) << text;
  }
}

TEST(ParseIptables, marks_are_set_as_xt_mark_does) {
  const MarkChange set = rule_of("-A FORWARD -j MARK --set-xmark 0x2000/0x2000").statements.at(0).mark;
  EXPECT_EQ(set.keep, ~0x2000U);
  EXPECT_EQ(set.flip, 0x2000U);
  const Statement restore =
      rule_of("-A FORWARD -j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff").statements.at(0);
  EXPECT_EQ(restore.action, Action::set_mark);
  EXPECT_EQ(restore.mark.unknown, 0xFFU);
}

TEST(ParseIptables, other_lines_become_notes) {
  const Ruleset rules = test::save(
      "*filter\n:FORWARD ACCEPT [0:0]\nhello\n-A NOWHERE -j DROP\n# Table `nat' is incompatible, use 'nft' "
      "tool.\n");
  EXPECT_EQ(rules.notes.size(), 3U);
  EXPECT_THAT(rules.chains.at(0).rules, IsEmpty());
}

TEST(ParseIptables, limits_are_said_and_not_exceeded) {
  const std::string text = test::fixture("docker-nft1.0.6.save4");
  EXPECT_FALSE(parse_iptables_save(text, Family::ip, Maker::iptables, Limits{10, kMaxChains, kMaxRules, 0}));
  const Ruleset few =
      test::good(parse_iptables_save(text, Family::ip, Maker::iptables, Limits{kMaxRulesBytes, 20, 3, 0}));
  std::size_t count = 0;
  for (const Chain& c : few.chains) count += c.rules.size();
  EXPECT_EQ(count, 3U);
  EXPECT_EQ(few.notes.size(), 1U);
}

TEST(ParseIptables, everything_of_docker_is_understood_but_its_log_limit) {
  std::vector<std::string> unknown;
  for (const Chain& c : test::save(test::fixture("docker-nft1.0.6.save4")).chains) {
    for (const Rule& r : c.rules) {
      for (const Match& m : r.matches) {
        if (m.is(Field::unknown)) unknown.push_back(m.text);
      }
    }
  }
  EXPECT_THAT(unknown, ElementsAre("-m limit --limit 3/min"));
}

}  // namespace
}  // namespace podshark::firewall
