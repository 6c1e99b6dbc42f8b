// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/parse_nft.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <regex>
#include <sstream>

#include "tests/unit/firewall/rules.h"

namespace podshark::firewall {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Rule& only_rule(const Ruleset& rules) {
  return rules.chains.at(0).rules.at(0);
}

// A rule of one match in a forward chain, and a verdict.
Rule rule_of(const std::string& expressions) {
  return only_rule(test::one_chain("forward", 0, "accept", expressions));
}

std::vector<std::string> texts(const Rule& rule) {
  std::vector<std::string> out;
  for (const Match& m : rule.matches) {
    if (!m.text.empty()) out.push_back(m.text);
  }
  return out;
}

// Table t with these flags and a chain on the hook forward that drops all.
Ruleset table_with(const std::string& flags) {
  return test::nft(R"({"nftables": [{"table": {"family": "inet", "name": "t", "handle": 1, "flags": )" +
                   flags +
                   R"(}}, {"chain": {"family": "inet", "table": "t", "name": "f", "type": "filter",
                      "hook": "forward", "prio": 0, "policy": "drop"}}]})");
}

TEST(ParseNft, chains_of_a_dormant_table_have_no_hook) {
  for (const char* flags : {R"("dormant")", R"(["dormant", "owner"])"}) {
    const Ruleset rules = table_with(flags);
    ASSERT_EQ(rules.chains.size(), 1U);
    EXPECT_EQ(rules.chains[0].hook, Hook::none) << flags;
    EXPECT_EQ(judge(rules, Hook::forward, Packet()).outcome, Outcome::accept);
    EXPECT_THAT(rules.notes, IsEmpty());
  }
  const Ruleset active = table_with(R"(["owner", "persist"])");
  EXPECT_EQ(active.chains[0].hook, Hook::forward);
  EXPECT_THAT(active.notes, IsEmpty());
}

TEST(ParseNft, flags_that_can_not_be_read_are_told) {
  const Ruleset rules = table_with(R"("Lester Gooch #5")");  // nft 1.0.6, of a dormant table
  EXPECT_EQ(rules.chains[0].hook, Hook::forward);
  EXPECT_THAT(rules.notes, ElementsAre(HasSubstr("flags of table inet t")));
}

TEST(ParseNft, chains_have_hook_priority_and_policy) {
  const Ruleset rules = test::one_chain("forward", -10, "drop", "");
  ASSERT_EQ(rules.chains.size(), 1U);
  const Chain& c = rules.chains[0];
  EXPECT_EQ(c.family, Family::inet);
  EXPECT_EQ(c.hook, Hook::forward);
  EXPECT_EQ(c.type, ChainType::filter);
  EXPECT_EQ(c.priority, -10);
  EXPECT_EQ(c.policy, Policy::drop);
  EXPECT_EQ(place(c), "table inet t chain f");
}

TEST(ParseNft, a_rule_keeps_handle_counters_and_text) {
  const Rule r =
      rule_of(R"([{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}},
    "right": {"set": [22, {"range": [80, 90]}]}}}, {"counter": {"packets": 3, "bytes": 180}}, {"drop": null}])");
  EXPECT_EQ(r.handle, 7U);
  EXPECT_EQ(r.number, 1U);
  EXPECT_EQ(r.counters, (Counters{3, 180}));
  EXPECT_EQ(r.text, "tcp dport { 22, 80-90 } counter packets 3 bytes 180 drop");
  ASSERT_EQ(r.matches.size(), 2U);  // TCP is implied
  EXPECT_TRUE(r.matches[0].is(Field::protocol));
  EXPECT_TRUE(r.matches[1].is(Field::dport));
  EXPECT_EQ(r.matches[1].rows(), 2U);
  ASSERT_EQ(r.statements.size(), 1U);
  EXPECT_EQ(r.statements[0].action, Action::drop);
  EXPECT_EQ(r.statements[0].after, 2U);
}

TEST(ParseNft, what_is_not_known_is_kept_as_text) {
  const Rule r = rule_of(
      R"([{"match": {"op": "==", "left": {"meta": {"key": "skuid"}}, "right": 0}}, {"accept": null}])");
  ASSERT_EQ(r.matches.size(), 1U);
  EXPECT_TRUE(r.matches[0].is(Field::unknown));
  EXPECT_EQ(r.matches[0].text, "meta skuid 0");
  const Rule odd = rule_of(R"([{"frobnicate": {"name": "x"}}])");
  ASSERT_EQ(odd.statements.size(), 1U);
  EXPECT_EQ(odd.statements[0].action, Action::unknown);
}

TEST(ParseNft, a_mark_is_set_under_a_mask) {
  const Rule r = rule_of(R"([{"mangle": {"key": {"meta": {"key": "mark"}},
    "value": {"|": [{"&": [{"meta": {"key": "mark"}}, 4294902271]}, 256]}}}])");
  ASSERT_EQ(r.statements.size(), 1U);
  EXPECT_EQ(r.statements[0].action, Action::set_mark);
  EXPECT_EQ(r.statements[0].mark.keep, 0xFFFF00FFU);
  EXPECT_EQ(r.statements[0].mark.flip, 0x100U);
}

// Our text of each rule is nft's own, except where it is shortened or nft resolves more than its JSON tells.
TEST(ParseNft, texts_are_those_of_nft) {
  std::map<std::string, std::string> own;  // chain and handle → text
  std::istringstream lines(test::fixture("vocabulary-nft1.0.6.txt"));
  const std::regex chain(R"(\s+chain (\w+) \{ # handle \d+)");
  const std::regex rule(R"(\s+(.*) # handle (\d+))");
  std::string name;
  for (std::string line; std::getline(lines, line);) {
    std::smatch m;
    if (std::regex_match(line, m, chain)) {
      name = m[1];
    } else if (std::regex_match(line, m, rule)) {
      own[name + " " + std::string(m[2])] = m[1];
    }
  }
  std::size_t same = 0;
  std::vector<std::string> different;
  for (const Chain& c : test::nft(test::fixture("vocabulary-nft1.0.6.json")).chains) {
    for (const Rule& r : c.rules) {
      const std::string& theirs = own[c.name + " " + std::to_string(r.handle)];
      if (r.text == theirs) {
        ++same;
      } else if (c.table == "t") {
        different.push_back(r.text + " | " + theirs);
      }
    }
  }
  EXPECT_GT(same, 95U);
  EXPECT_LT(different.size(), 50U) << testing::PrintToString(different);
}

TEST(ParseNft, the_vocabulary_is_understood) {
  const Ruleset rules = test::nft(test::fixture("vocabulary-nft1.0.6.json"));
  std::vector<std::string> unknown;
  for (const Chain& c : rules.chains) {
    for (const Rule& r : c.rules) {
      for (const Match& m : r.matches) {
        if (m.is(Field::unknown)) unknown.push_back(m.text.substr(0, m.text.find(' ', m.text.find(' ') + 1)));
      }
    }
  }
  EXPECT_THAT(rules.notes, IsEmpty());
  EXPECT_THAT(unknown,
              testing::Each(testing::AnyOf(
                  HasSubstr("fib"), HasSubstr("limit"), HasSubstr("pkttype"), HasSubstr("ct original"),
                  HasSubstr("ct count"), HasSubstr("iifgroup"), HasSubstr("skuid"), HasSubstr("vlan"),
                  HasSubstr("quota"), HasSubstr("cpu"), HasSubstr("iiftype"), HasSubstr("ether"),
                  HasSubstr("exthdr"), HasSubstr("ip daddr"), HasSubstr("ct status"), HasSubstr("time"),
                  HasSubstr("rt ipsec"), HasSubstr("@"))))
      << testing::PrintToString(unknown);
}

TEST(ParseNft, maps_of_verdicts_and_targets_are_resolved) {
  const Ruleset rules = test::nft(test::fixture("vocabulary-nft1.0.6.json"));
  std::size_t verdicts = 0;
  std::size_t targets = 0;
  for (const Chain& c : rules.chains) {
    for (const Rule& r : c.rules) {
      for (const Statement& s : r.statements) {
        if (s.results.empty()) continue;
        EXPECT_EQ(s.results.size(), s.key.rows());
        if (s.action == Action::verdict_map) ++verdicts;
        if (s.action == Action::dnat || s.action == Action::redirect) ++targets;
        if (const auto& to = s.results[0].nat.address; to) {
          EXPECT_TRUE(to->first.is_v4());
        }
      }
    }
  }
  EXPECT_GE(verdicts, 7U);
  EXPECT_EQ(targets, 5U);
}

TEST(ParseNft, named_sets_are_shared_by_their_rules) {
  const Ruleset rules = test::nft(R"({"nftables": [
    {"set": {"family": "ip", "table": "t", "name": "s", "type": "ipv4_addr", "elem": ["10.0.0.1", {"elem": {"val": "10.0.0.2", "timeout": 5}}]}},
    {"chain": {"family": "ip", "table": "t", "name": "c"}},
    {"rule": {"family": "ip", "table": "t", "chain": "c", "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@s"}}]}},
    {"rule": {"family": "ip", "table": "t", "chain": "c", "expr": [{"match": {"op": "!=", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@s"}}]}},
    {"rule": {"family": "ip", "table": "t", "chain": "c", "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@none"}}]}}]})");
  ASSERT_EQ(rules.chains.at(0).rules.size(), 3U);
  const Match& first = rules.chains[0].rules[0].matches.back();
  const Match& second = rules.chains[0].rules[1].matches.back();
  EXPECT_EQ(first.rows(), 2U);
  EXPECT_EQ(first.values, second.values);
  EXPECT_TRUE(second.negated);
  EXPECT_TRUE(rules.chains[0].rules[2].matches.back().is(Field::unknown));
}

TEST(ParseNft, limits_are_said_and_not_exceeded) {
  const std::string text = test::fixture("vocabulary-nft1.0.6.json");
  EXPECT_FALSE(parse_nft_json(text, Limits{100, kMaxChains, kMaxRules, kMaxElements}));
  const Ruleset few = test::good(parse_nft_json(text, Limits{kMaxRulesBytes, 2, 5, 3}));
  EXPECT_EQ(few.chains.size(), 2U);
  EXPECT_FALSE(few.notes.empty());
  const Ruleset rules = test::good(parse_nft_json(text, Limits{kMaxRulesBytes, kMaxChains, 5, 3}));
  std::size_t count = 0;
  for (const Chain& c : rules.chains) count += c.rules.size();
  EXPECT_EQ(count, 5U);
}

TEST(ParseNft, nonsense_is_refused_or_harmless) {
  for (const char* text : {"", "x", "[]", "{}", R"({"nftables": 5})", R"({"nftables": {"a": 1}})"}) {
    EXPECT_FALSE(parse_nft_json(text)) << text;
  }
  for (const char* text :
       {R"({"nftables": []})", R"({"nftables": [1, null, "x", {"rule": 5}, {"chain": []}, {"set": {}}]})",
        R"({"nftables": [{"chain": {"name": 5, "dev": [1, {}]}}, {"rule": {"expr": {"a": []}}}]})"}) {
    EXPECT_TRUE(parse_nft_json(text)) << text;
  }
  std::string deep = "5";
  for (int i = 0; i < 2000; ++i) deep = R"({"&": [)" + deep + ", 1]}";
  const Rule r = rule_of(R"([{"match": {"op": "==", "left": )" + deep + R"(, "right": 1}}, {"drop": null}])");
  EXPECT_TRUE(r.matches.at(0).is(Field::unknown));
}

TEST(ParseNft, texts_are_one_clean_line) {
  const Rule r = rule_of(R"([{"log": {"prefix": "a\nb\u001b[31m"}}, {"drop": null}])");
  EXPECT_EQ(r.text.find_first_of("\n\x1b"), std::string::npos);
  EXPECT_THAT(texts(r), IsEmpty());
}

}  // namespace
}  // namespace podshark::firewall
