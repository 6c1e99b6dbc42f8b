// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/trace/journey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "podman/trace/own_table.h"
#include "tests/unit/firewall/rules.h"
#include "tests/unit/trace/messages.h"

namespace podshark::trace {
namespace {

using firewall::Family;
using firewall::Hook;
using firewall::Maker;
using firewall::Ruleset;
using test::Made;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kOwn = "podshark_trace_7";

// A published port of netavark's iptables driver, and somebody's drop behind it.
Ruleset rules() {
  const Ruleset nft = firewall::test::nft(R"({"nftables": [
    {"chain": {"family": "ip", "table": "nat", "name": "PREROUTING", "handle": 1, "type": "nat", "hook": "prerouting", "prio": -100, "policy": "accept"}},
    {"chain": {"family": "ip", "table": "nat", "name": "DN", "handle": 2}},
    {"chain": {"family": "inet", "table": "t", "name": "f", "handle": 1, "type": "filter", "hook": "forward", "prio": 10, "policy": "drop"}},
    {"rule": {"family": "ip", "table": "nat", "chain": "PREROUTING", "handle": 11, "expr": [{"xt": {"type": "match", "name": "addrtype"}}, {"jump": {"target": "DN"}}]}},
    {"rule": {"family": "ip", "table": "nat", "chain": "DN", "handle": 12, "expr": [{"xt": {"type": "target", "name": "DNAT"}}]}},
    {"rule": {"family": "inet", "table": "t", "chain": "f", "handle": 5, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}}, {"drop": null}]}}
  ]})");
  return firewall::merge(
      nft,
      firewall::test::save("*nat\n:PREROUTING ACCEPT [0:0]\n:DN - [0:0]\n"
                           "-A PREROUTING -m addrtype --dst-type LOCAL -j DN\n"
                           "-A DN -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.88.0.2:80\n"
                           "COMMIT\n"),
      {},
      firewall::test::save("*filter\n:FORWARD DROP [0:0]\n-A FORWARD -s 10.0.0.0/8 -j ACCEPT\n"
                           "-A FORWARD -p tcp -j REJECT\nCOMMIT\n",
                           Family::ip, Maker::iptables_legacy),
      {});
}

// A SYN at the places of its way; `step` is its number on the way of several packets.
class Way {
 public:
  explicit Way(unsigned ip_id = 50) : ip_id_(ip_id) {}
  Way& own(const char* chain, std::uint32_t id) {
    Made m = made(kOwn, chain, id);
    m.family = NFPROTO_INET;
    m.handle = 3;
    return add(look(m));
  }
  Way& rule(const char* chain, std::uint32_t id, std::uint64_t handle, std::int32_t verdict,
            const char* target, bool first) {
    Made m = made("nat", chain, id);
    m.handle = handle;
    m.verdict = verdict;
    m.target = target;
    return add(first ? look(m) : m);
  }
  Way& forward(std::uint32_t id, std::uint64_t handle, std::int32_t verdict) {
    Made m = made("t", "f", id);
    m.family = NFPROTO_INET;
    m.handle = handle;
    m.verdict = verdict;
    m.type = handle == 0 ? NFT_TRACETYPE_POLICY : NFT_TRACETYPE_RULE;
    return add(look(m));
  }
  Way& legacy(const char* line, unsigned hook) {
    events.push_back(*parse_message(test::legacy_trace(line, hook, network() + transport())));
    return *this;
  }
  Way& dnat() {
    to_ = "10.88.0.2";
    port_ = 80;
    return *this;
  }
  std::vector<Event> events;

 private:
  static Made made(const char* table, const char* chain, std::uint32_t id) {
    Made m;
    m.table = table;
    m.chain = chain;
    m.id = id;
    return m;
  }
  [[nodiscard]] std::string network() const { return test::ipv4("10.88.0.3", to_, 6, ip_id_); }
  [[nodiscard]] std::string transport() const { return test::tcp(40000, port_, 1, 2); }
  [[nodiscard]] Made look(Made m) const {
    m.network = network();
    m.transport = transport();
    return m;
  }
  Way& add(const Made& m) {
    events.push_back(*parse_message(test::nft_trace(m)));
    return *this;
  }
  unsigned ip_id_;
  std::string to_ = "203.0.113.1";
  unsigned port_ = 8080;
};

Way translated() {
  Way way;
  way.own("pre", 1).rule("PREROUTING", 1, 11, NFT_JUMP, "DN", true).rule("DN", 1, 12, NF_ACCEPT, "", false);
  return way.dnat();
}

Journeys read(const std::vector<Event>& events, const Ruleset& after = {}) {
  static const Ruleset before = rules();
  return journeys(events, {before, after, kOwn});
}

TEST(Journey, the_rule_that_drops_is_named_and_so_are_those_before) {
  const Journeys all = read(translated().forward(1, 5, NF_DROP).events);
  ASSERT_EQ(all.all.size(), 1U);
  const Journey& j = all.all.front();
  ASSERT_EQ(j.steps.size(), 3U);
  EXPECT_EQ(j.steps[0].where, "iptables table nat chain PREROUTING");
  EXPECT_EQ(j.steps[0].text, "-A PREROUTING -m addrtype --dst-type LOCAL -j DN");
  EXPECT_EQ(j.steps[0].what, "jump DN");
  EXPECT_EQ(j.steps[1].hook, Hook::prerouting);
  EXPECT_THAT(j.steps[1].text, HasSubstr("--to-destination 10.88.0.2:80"));
  EXPECT_EQ(j.steps[2].now, "10.88.0.3:40000 → 10.88.0.2:80");
  EXPECT_EQ(j.end, End::dropped);
  EXPECT_EQ(j.ended_at, Hook::forward);
  EXPECT_EQ(j.decided_by, "table inet t chain f (hook forward, priority 10): tcp dport 80 drop");
  EXPECT_FALSE(all.unknown_rules);
}

TEST(Journey, a_policy_drops_without_a_rule) {
  const Journeys all = read(translated().forward(1, 0, NF_DROP).events);
  EXPECT_EQ(all.all.front().decided_by, "table inet t chain f (hook forward, priority 10): policy drop");
}

TEST(Journey, the_number_changes_on_the_way) {
  const Journeys all = read(translated().forward(9, 5, NFT_CONTINUE).own("post", 9).events);
  ASSERT_EQ(all.all.size(), 1U);
  EXPECT_EQ(all.all.front().end, End::left);
  EXPECT_EQ(all.all.front().steps.size(), 3U);
}

TEST(Journey, a_number_that_is_used_again_is_another_packet) {
  std::vector<Event> events = translated().forward(1, 5, NF_DROP).events;
  const std::vector<Event> second = Way(51).own("pre", 1).own("in", 1).events;
  events.insert(events.end(), second.begin(), second.end());
  const Journeys all = read(events);
  ASSERT_EQ(all.all.size(), 2U);
  EXPECT_EQ(all.all[0].end, End::dropped);
  EXPECT_EQ(all.all[1].end, End::delivered);
  EXPECT_TRUE(all.all[1].steps.empty());
}

TEST(Journey, what_is_seen_nowhere_later_is_lost) {
  EXPECT_EQ(read(translated().events).all.front().end, End::lost);
}

TEST(Journey, legacy_rules_are_put_where_their_priority_belongs) {
  Way way = translated();
  way.legacy("TRACE: filter:FORWARD:rule:1 ", 2);
  way.forward(1, 5, NFT_CONTINUE).own("post", 1);
  const Journey j = read(way.events).all.at(0);
  ASSERT_EQ(j.steps.size(), 4U);
  EXPECT_EQ(j.steps[2].where, "iptables-legacy table filter chain FORWARD");
  EXPECT_EQ(j.steps[2].text, "-A FORWARD -s 10.0.0.0/8 -j ACCEPT");
  EXPECT_EQ(j.steps[2].what, "accept");
  EXPECT_EQ(j.end, End::left);
}

TEST(Journey, a_legacy_rule_and_a_legacy_policy_drop) {
  Journey j = read(translated().legacy("TRACE: filter:FORWARD:rule:2 ", 2).events).all.at(0);
  EXPECT_EQ(j.end, End::dropped);
  EXPECT_EQ(j.verdict, "reject");
  EXPECT_EQ(
      j.decided_by,
      "iptables-legacy table filter chain FORWARD (hook forward, priority 0): -A FORWARD -p tcp -j REJECT");
  j = read(translated().legacy("TRACE: filter:FORWARD:policy:3 ", 2).events).all.at(0);
  EXPECT_EQ(j.decided_by,
            "iptables-legacy table filter chain FORWARD (hook forward, priority 0): policy drop");
  EXPECT_EQ(j.steps.back().now, "10.88.0.3:40000 → 10.88.0.2:80");
}

TEST(Journey, a_retransmission_has_its_own_legacy_steps) {
  std::vector<Event> events;
  for (const unsigned id : {50U, 51U}) {
    const auto one = Way(id).own("pre", id).legacy("TRACE: filter:FORWARD:rule:2 ", 2).events;
    events.insert(events.end(), one.begin(), one.end());
  }
  const Journeys all = read(events);
  ASSERT_EQ(all.all.size(), 2U);
  EXPECT_EQ(all.all[0].steps.size(), 1U);
  EXPECT_EQ(all.all[1].steps.size(), 1U);
}

TEST(Journey, over_loopback_legacy_rules_of_input_are_the_receivers) {
  Way way;
  way.own("out", 1).own("post", 1).own("pre", 2);
  way.legacy("TRACE: filter:OUTPUT:policy:1 ", 3).legacy("TRACE: filter:INPUT:rule:1 ", 1);
  const Journeys all = read(way.events);
  ASSERT_EQ(all.all.size(), 2U);
  ASSERT_EQ(all.all[0].steps.size(), 1U);
  EXPECT_EQ(all.all[0].steps[0].hook, Hook::output);
  ASSERT_EQ(all.all[1].steps.size(), 1U);
  EXPECT_EQ(all.all[1].steps[0].hook, Hook::input);
}

TEST(Journey, a_rule_made_meanwhile_is_found_in_the_rules_read_after) {
  const std::vector<Event> events = translated().forward(1, 77, NF_DROP).events;
  const Journeys unknown = read(events);
  EXPECT_TRUE(unknown.unknown_rules);
  EXPECT_EQ(unknown.all.front().decided_by,
            "table inet t chain f: a rule that could not be read (handle 77)");
  Ruleset after = rules();
  after.chains.at(2).rules.at(0).handle = 77;
  const Journeys found = read(events, after);
  EXPECT_FALSE(found.unknown_rules);
  EXPECT_THAT(found.all.front().decided_by, HasSubstr("tcp dport 80 drop"));
}

TEST(Journey, events_of_a_packet_whose_begin_was_lost_are_left_out) {
  EXPECT_TRUE(read(Way().rule("DN", 4, 12, NF_ACCEPT, "", false).events).all.empty());
}

TEST(Journey, another_trace_that_runs_now_is_not_told_unless_it_drops) {
  Way way(50);
  way.own("pre", 1);
  Made m;
  m.table = "podshark_trace_8";
  m.chain = "pre";
  m.handle = 3;
  way.events.push_back(*parse_message(test::nft_trace(m)));
  EXPECT_TRUE(read(way.events).all.at(0).steps.empty());
  m.verdict = NF_DROP;
  way.events.push_back(*parse_message(test::nft_trace(m)));
  EXPECT_EQ(read(way.events).all.at(0).end, End::dropped);
}

TEST(Journey, names_of_strangers_are_cleaned) {
  Made m;
  m.table = "t\n";
  m.chain = "\x1b[31m";
  m.handle = 1;
  m.verdict = NFT_JUMP;
  m.target = "a\nb";
  m.network = test::ipv4("10.0.0.1", "10.0.0.2", 6, 1);
  const Journey j = read({*parse_message(test::nft_trace(m))}).all.at(0);
  for (const std::string& text : {j.steps[0].where, j.steps[0].text, j.steps[0].what})
    EXPECT_EQ(text.find_first_of("\n\x1b"), std::string::npos) << text;
}

TEST(OwnTable, is_one_line_of_numbers_and_addresses) {
  const std::string line = nft_command(
      own_table(7), {{IpAddress::parse("10.88.0.2"), 6, 80}, {IpAddress::parse("fd00::2"), 1, 0}});
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_THAT(
      line, testing::StartsWith("add table inet podshark_trace_7 { flags owner; chain pre { type filter hook "
                                "prerouting priority -350; policy accept; ip daddr 10.88.0.2 tcp dport 80 "
                                "limit rate 50/second burst 5 packets meta nftrace set 1; "));
  EXPECT_THAT(line, HasSubstr("ip6 saddr fd00::2 meta l4proto ipv6-icmp limit"));
}

TEST(OwnTable, the_peer_is_the_other_end) {
  EXPECT_THAT(conditions({IpAddress::parse("10.0.0.2"), 6, 80, IpAddress::parse("10.0.0.1")}),
              ElementsAre("ip saddr 10.0.0.1 ip daddr 10.0.0.2 tcp dport 80",
                          "ip daddr 10.0.0.1 ip saddr 10.0.0.2 tcp sport 80"));
  EXPECT_THAT(
      conditions({std::nullopt, 1, 0, IpAddress::parse("fd00::1")}),
      ElementsAre("ip6 saddr fd00::1 meta l4proto ipv6-icmp", "ip6 daddr fd00::1 meta l4proto ipv6-icmp"));
}

TEST(OwnTable, without_address_the_port_alone_counts) {
  EXPECT_THAT(conditions({std::nullopt, 17, 53}), ElementsAre("udp dport 53", "udp sport 53"));
  EXPECT_THAT(conditions({std::nullopt, 1, 0}), testing::Each("meta l4proto { icmp, ipv6-icmp }"));
}

}  // namespace
}  // namespace podshark::trace
