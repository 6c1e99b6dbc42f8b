// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/queries.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/unit/firewall/rules.h"

namespace podshark::firewall {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const char* const kIptables = "podman-nft1.0.6";
const char* const kNftables = "podman-nft1.1.3";

class Queries : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Recorded, Queries, testing::Values(kIptables, kNftables));

// "tcp 28080 → 10.88.0.2:80"
std::string line(const Dnat& d) {
  std::string out = protocol_name(d.protocol);
  for (const AddressRange& a : d.host) out += " " + a.text();
  for (const NumberRange& p : d.ports) out += " " + p.text();
  out += " → " + (d.target.address ? d.target.address->text() : "");
  if (d.target.ports) out += ":" + d.target.ports->text();
  return out;
}

std::vector<std::string> lines(const std::vector<Dnat>& dnats) {
  std::vector<std::string> out;
  for (const Dnat& d : dnats) out.push_back(line(d));
  return out;
}

TEST(Dnats, of_netavarks_iptables_driver_have_owners) {
  const Ruleset rules = test::recorded(kIptables);
  const auto found = dnats(rules, Hook::prerouting);
  EXPECT_THAT(lines(found), ElementsAre("tcp 28080 → 10.88.0.2:80", "tcp 28171-28173 → 10.88.0.2:90-92",
                                        "udp 28053 → 10.88.0.2:53", "tcp 127.0.0.1 28043 → 10.88.0.2:80",
                                        "tcp 28090 → 10.90.2.2:80"));
  for (const Dnat& d : found) {
    EXPECT_EQ(d.owner.size(), 64U);
    EXPECT_TRUE(d.only_local);
    EXPECT_THAT(d.conditions, IsEmpty());
    EXPECT_EQ(d.family, Family::ip);
    EXPECT_NE(d.rule.rule, nullptr);
  }
  EXPECT_EQ(found[0].network, "podman");
  EXPECT_EQ(found[4].network, "n2");
  EXPECT_EQ(found[1].port_for(28172), 91);
  EXPECT_TRUE(found[0].takes(Family::ip, 6, test::ip("203.0.113.1"), 28080));
  EXPECT_FALSE(found[3].takes(Family::ip, 6, test::ip("203.0.113.1"), 28043));
}

TEST(Dnats, of_netavarks_nftables_driver_are_one_per_port) {
  const Ruleset rules = test::recorded(kNftables);
  const auto found = dnats(rules, Hook::prerouting);
  EXPECT_THAT(lines(found),
              ElementsAre("tcp 28080 → 10.88.0.2:80", "tcp 28171 → 10.88.0.2:90", "tcp 28172 → 10.88.0.2:91",
                          "tcp 28173 → 10.88.0.2:92", "udp 28053 → 10.88.0.2:53",
                          "tcp 127.0.0.1 28043 → 10.88.0.2:80", "tcp 28090 → 10.90.2.2:80"));
  for (const Dnat& d : found) EXPECT_TRUE(d.for_anybody()) << line(d);
  EXPECT_EQ(lines(dnats(rules, Hook::output)), lines(found));
  EXPECT_THAT(dnats(rules, Hook::forward), IsEmpty());
}

TEST(Dnats, of_two_for_one_port_the_first_is_first) {  // catalogue 7
  const Ruleset rules =
      test::merge_legacy(test::recorded(kIptables), test::fixture("legacy-nft1.0.6.legacy4"));
  std::vector<std::string> targets;
  for (const Dnat& d : dnats(rules, Hook::prerouting)) {
    if (d.takes(Family::ip, 6, test::ip("203.0.113.1"), 28080)) targets.push_back(d.target.address->text());
  }
  EXPECT_THAT(targets, ElementsAre("10.88.0.2", "10.88.0.99"));
}

TEST(Dnats, of_docker_and_firewalld_carry_their_conditions) {
  const Ruleset docker = test::recorded("docker-nft1.0.6");
  const auto found = dnats(docker, Hook::prerouting);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(line(found[0]), "tcp 8080 → 172.17.0.2:80");
  EXPECT_THAT(found[0].conditions, ElementsAre("! -i docker0"));
  EXPECT_EQ(found[0].owner, "");
  const Ruleset firewalld = test::recorded("firewalld-nft1.1.3");
  const auto forwards = dnats(firewalld, Hook::prerouting);
  EXPECT_THAT(lines(forwards),
              ElementsAre("tcp 10.88.0.0/16 8080 → 10.88.0.2:80", "tcp 8080 → 10.88.0.2:80"));
}

TEST(Dnats, maps_are_taken_apart) {
  const Ruleset rules = test::nft(test::fixture("vocabulary-nft1.0.6.json"));
  const auto all = lines(dnats(rules, Hook::prerouting));
  EXPECT_THAT(all, testing::Contains("tcp 443 → 10.88.0.2"));
  EXPECT_THAT(all, testing::Contains("tcp 8080 → 10.88.0.2:80"));
}

TEST(Netavark, its_drivers_are_told_apart) {
  EXPECT_TRUE(has_netavark(test::recorded(kIptables)).iptables);
  EXPECT_FALSE(has_netavark(test::recorded(kIptables)).nftables);
  EXPECT_TRUE(has_netavark(test::recorded(kNftables)).nftables);
  EXPECT_FALSE(has_netavark(test::recorded(kNftables)).iptables);
  EXPECT_FALSE(has_netavark(test::recorded("docker-nft1.0.6")).any());
}

TEST_P(Queries, port_marks_name_network_and_port) {  // catalogue 6
  const Ruleset rules = test::recorded(GetParam());
  const auto marks = port_marks(rules);
  const auto of_28080 = [](const PortMark& m) { return m.ports == std::vector<NumberRange>{{28080, 28080}}; };
  std::vector<std::string> sources;
  for (const PortMark& m : marks) {
    if (of_28080(m)) sources.push_back(m.source.text());
  }
  EXPECT_THAT(sources, ElementsAre("10.88.0.0/16", "127.0.0.1"));
  EXPECT_EQ(marks.size(), 10U);
}

TEST(Merge, rules_of_iptables_replace_what_nft_shows_of_them) {
  const Ruleset rules = test::recorded("docker-nft1.0.6");
  for (const Chain& c : rules.chains) {
    EXPECT_EQ(c.maker, Maker::iptables) << c.name;
    for (const Rule& r : c.rules) EXPECT_EQ(r.text.substr(0, 3), "-A ");
    if (c.name == "FORWARD") {
      EXPECT_EQ(c.policy, Policy::drop);
      EXPECT_NE(c.rules.at(0).handle, 0U);  // nft's
    }
  }
}

TEST(Merge, legacy_tables_stand_beside_those_of_the_same_name) {
  const Ruleset rules =
      test::merge_legacy(test::recorded(kIptables), test::fixture("legacy-nft1.0.6.legacy4"));
  const auto count = std::count_if(rules.chains.begin(), rules.chains.end(),
                                   [](const Chain& c) { return c.name == "FORWARD"; });
  EXPECT_EQ(count, 2);
  const Judgement j = judge(rules, Hook::forward, test::inbound());
  EXPECT_EQ(j.outcome, Outcome::drop);
  EXPECT_EQ(describe(j.by),
            "iptables-legacy table filter chain FORWARD (hook forward, priority 0): policy drop");
}

TEST(Merge, without_nft_iptables_stands_alone) {
  const Ruleset rules = merge({}, test::save(test::fixture("docker-nft1.0.6.save4")), {}, {}, {});
  EXPECT_EQ(judge(rules, Hook::forward, test::inbound()).outcome, Outcome::drop);
}

}  // namespace
}  // namespace podshark::firewall
