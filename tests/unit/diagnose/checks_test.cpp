// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "podman/diagnose/certainty.h"
#include "tests/unit/diagnose/world.h"

namespace podshark::diagnose {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(World, a_healthy_host_has_no_findings) {
  EXPECT_THAT(judge(facts), IsEmpty());
}

TEST(Checks, have_ids_of_their_own_and_explain_themselves) {
  std::set<std::string> ids;
  for (const Check& check : all_checks()) {
    EXPECT_TRUE(ids.insert(check.id).second) << check.id;
    EXPECT_GT(std::string(check.explain).size(), 60U) << check.id;
    EXPECT_FALSE(std::string(check.title).empty());
  }
}

TEST(Checks, are_all_in_the_documentation) {
  std::ifstream file(std::string(PODSHARK_FIXTURES) + "/../../docs/CHECKS.md");
  std::vector<std::string> documented;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("| `")) documented.push_back(line.substr(3, line.find('`', 3) - 3));
  }
  std::vector<std::string> checks;
  for (const Check& check : all_checks()) checks.emplace_back(check.id);
  EXPECT_EQ(documented, checks) << "rows stand in the order in which checks are judged";
}

TEST(Checks, bear_facts_about_nothing) {
  const Facts nothing;
  EXPECT_THAT(judge(nothing), IsEmpty());
}

TEST_F(World, what_can_not_be_seen_is_not_called_broken) {
  facts.host = Netns();
  box().net = Netns();
  box().veths.clear();
  box().host_routes.clear();
  EXPECT_THAT(wrong(), IsEmpty());
}

TEST_F(World, forwarding_off_is_found) {
  facts.host.state.all.forwarding = 0;
  EXPECT_THAT(wrong(), ElementsAre("sysctl.ip-forward"));
}

TEST_F(World, the_bridge_setting_counts_like_the_general_one) {
  bridge_settings().forwarding = 0;
  EXPECT_THAT(wrong(), ElementsAre("sysctl.ip-forward"));
}

TEST_F(World, route_localnet_off_is_found) {
  bridge_settings().route_localnet = 0;
  EXPECT_THAT(wrong(), ElementsAre("sysctl.route-localnet"));
  facts.host.sysctls["net.ipv4.conf.all.route_localnet"] = "1";
  EXPECT_THAT(wrong(), IsEmpty());
}

TEST_F(World, a_veth_without_bridge_is_found) {
  box().veths.front().master = 0;
  EXPECT_THAT(wrong(), ElementsAre("link.bridge-broken"));
}

TEST_F(World, a_bridge_that_is_down_explains_the_missing_route) {
  facts.host.links[1].flags = 0;
  box().host_routes.front().error = 101;
  EXPECT_THAT(wrong(), ElementsAre("link.bridge-broken"));
}

TEST_F(World, a_captured_route_is_found) {
  box().host_routes.front().oif = 2;
  EXPECT_THAT(wrong(), ElementsAre("route.subnet-captured"));
}

TEST_F(World, a_permanent_wrong_neighbour_is_found) {
  model::Neighbour n;
  n.ifindex = 3;
  n.address = *IpAddress::parse("10.88.0.2");
  n.mac = "02:00:00:00:00:99";
  n.state = 0x80;
  facts.host.state.neighbours.push_back(n);
  EXPECT_THAT(wrong(), ElementsAre("l2.duplicate-or-static-neigh"));
}

TEST_F(World, the_containers_own_address_is_a_good_neighbour) {
  model::Neighbour n;
  n.ifindex = 3;
  n.address = *IpAddress::parse("10.88.0.2");
  n.mac = "02:00:00:00:00:02";
  facts.host.state.neighbours.push_back(n);
  EXPECT_THAT(wrong(), IsEmpty());
}

TEST_F(World, a_missing_default_route_is_found) {
  box().net.state.routes.clear();
  EXPECT_THAT(wrong(), ElementsAre("ctr.no-default-route"));
}

TEST_F(World, a_listener_on_loopback_is_told_from_none) {
  box().net.listeners.front().address = *IpAddress::parse("127.0.0.1");
  EXPECT_THAT(wrong(), ElementsAre("app.loopback-only"));
  box().net.listeners.clear();
  EXPECT_THAT(wrong(), ElementsAre("app.not-listening"));
}

TEST_F(World, a_container_that_has_just_started_gets_a_warning_only) {
  box().net.listeners.clear();
  web().started_at = 998;
  const Findings found = judge(facts);
  ASSERT_EQ(1U, found.size());
  EXPECT_EQ(Severity::warning, found.front().severity);
}

TEST_F(World, flushed_rules_are_found_with_what_waits_at_conmon) {
  rules(R"({"nftables": []})");
  EXPECT_THAT(wrong(), ElementsAre("fw.rules-flushed"));
}

TEST_F(World, rules_of_cni_are_no_flushed_ones_of_netavark) {
  iptables("*nat\n:PREROUTING ACCEPT [0:0]\n:CNI-HOSTPORT-DNAT - [0:0]\nCOMMIT\n");
  facts.intended.driver = "iptables";
  EXPECT_THAT(wrong(), IsEmpty());
}

TEST_F(World, a_port_of_a_family_that_it_has_no_address_of_wants_no_rule) {
  web().ports.push_back(web().ports.front());
  web().ports.back().host_ip = "::";
  iptables(
      "*nat\n:PREROUTING ACCEPT [0:0]\n:NETAVARK-HOSTPORT-DNAT - [0:0]\n"
      "-A PREROUTING -m addrtype --dst-type LOCAL -j NETAVARK-HOSTPORT-DNAT\n"
      "-A NETAVARK-HOSTPORT-DNAT -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.88.0.2:80\nCOMMIT\n");
  facts.intended.driver = "iptables";
  EXPECT_THAT(wrong(), IsEmpty());
}

TEST_F(World, a_range_that_is_at_rest_is_a_note_until_a_port_of_it_is_asked_about) {
  web().ports.front().host_port = web().ports.front().container_port = 10000;
  web().ports.front().range = 100;
  const Findings found = judge(facts);
  ASSERT_EQ(1U, found.size());
  EXPECT_EQ("app.not-listening", found.front().id);
  EXPECT_EQ(Severity::info, found.front().severity);
  facts.question.target = web().id;
  facts.question.protocol = "tcp";
  facts.question.port = 10007;
  EXPECT_THAT(wrong(), ElementsAre("app.not-listening"));
}

TEST_F(World, what_is_published_on_loopback_is_not_for_clients_outside) {
  const std::string drop =
      "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
      "-A FORWARD -s 10.88.0.0/16 -j ACCEPT\nCOMMIT\n";
  iptables(drop);
  EXPECT_FALSE(wrong().empty());
  web().ports.front().host_ip = "127.0.0.1";
  EXPECT_THAT(wrong(), IsEmpty());
}

TEST_F(World, a_rule_against_some_clients_outside_is_no_rule_against_all) {
  iptables("*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -s 198.51.100.0/24 -j DROP\nCOMMIT\n");
  EXPECT_THAT(wrong(), IsEmpty()) << "a list of addresses that nobody has";
  iptables(
      "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -s 192.168.1.0/24 -p tcp -m tcp --dport 80 -j ACCEPT\n"
      "-A FORWARD -p tcp -m tcp --dport 80 -j DROP\nCOMMIT\n");
  const Findings some = judge(facts);
  ASSERT_EQ(1U, some.size());
  EXPECT_EQ(Severity::warning, some.front().severity) << "clients of that network are let in";
  iptables(
      "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD ! -s 10.88.0.0/16 -p tcp -m tcp --dport 80 -j "
      "DROP\nCOMMIT\n");
  ASSERT_EQ(1U, judge(facts).size());
  EXPECT_EQ(Severity::error, judge(facts).front().severity) << "that is everybody outside";
  iptables(
      "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
      "-A FORWARD -d 203.0.113.200/32 -j ACCEPT\n-A FORWARD -d 10.88.0.0/16 -j ACCEPT\nCOMMIT\n");
  ASSERT_FALSE(judge(facts).empty());
  EXPECT_EQ(Severity::warning, judge(facts).front().severity) << "a proxy outside may be all that it needs";
}

TEST_F(World, frames_on_one_bridge_pass_no_rules_unless_a_setting_says_so) {
  iptables("*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p tcp -m tcp --dport 80 -j DROP\nCOMMIT\n");
  const std::string shop = add_shop().id;
  facts.question.target = web().id;
  facts.question.from = shop;
  EXPECT_THAT(wrong(), IsEmpty());
}

TEST_F(World, of_an_infra_container_the_pod_is_restarted) {
  web().infra = true;
  web().pod_id = "p";
  model::Pod pod;
  pod.id = "p";
  pod.name = "shop";
  facts.inventory.pods.push_back(pod);
  EXPECT_EQ("podman pod restart shop", restart(facts, box()));
}

TEST_F(World, with_a_macvlan_beside_it_an_internal_network_is_no_end) {
  facts.inventory.networks.front().internal = true;
  EXPECT_TRUE(only_internal(facts, box()));
  model::Network lan;
  lan.name = "lan";
  lan.driver = "macvlan";
  facts.inventory.networks.push_back(lan);
  web().networks.push_back(web().networks.front());
  web().networks.back().network = "lan";
  EXPECT_FALSE(only_internal(facts, box()));
}

TEST_F(World, an_old_entry_of_a_neighbour_is_a_warning) {
  model::Neighbour n;
  n.ifindex = 3;
  n.address = *IpAddress::parse("10.88.0.2");
  n.mac = "02:00:00:00:00:99";
  n.state = 0x04;
  facts.host.state.neighbours = {n};
  const Findings found = judge(facts);
  ASSERT_EQ(1U, found.size());
  EXPECT_EQ(Severity::warning, found.front().severity);
  facts.host.state.neighbours.front().state = 0x02;
  EXPECT_EQ(Severity::error, judge(facts).front().severity);
}

TEST_F(World, fixes_name_the_ipv4_subnet_of_the_network_that_is_judged) {
  model::Network inner = facts.inventory.networks.front();
  inner.name = "inner";
  inner.internal = true;
  inner.subnets = {"10.99.0.0/24"};
  facts.inventory.networks.push_back(inner);
  facts.inventory.networks.front().subnets = {"fd00:88::/64", "10.88.0.0/16"};
  web().networks.insert(web().networks.begin(), web().networks.front());
  web().networks.front().network = "inner";
  web().networks.front().addresses = {"10.99.0.2/24"};
  EXPECT_EQ("10.88.0.0/16", judged_subnet(facts, box()));
}

TEST_F(World, strict_reverse_path_filter_needs_two_networks) {
  facts.host.state.all.rp_filter = 1;
  EXPECT_THAT(wrong(), IsEmpty());
  web().networks.push_back(web().networks.front());
  EXPECT_THAT(wrong(), ElementsAre("sysctl.rp-filter"));
  web().ports.clear();
  EXPECT_THAT(wrong(), IsEmpty()) << "nobody asks from outside";
}

TEST_F(World, strict_reverse_path_filter_does_not_meet_an_internal_network_beside) {
  facts.host.state.all.rp_filter = 1;
  model::Network inner = facts.inventory.networks.front();
  inner.name = "inner";
  inner.internal = true;
  facts.inventory.networks.push_back(inner);
  web().networks.push_back(web().networks.front());
  web().networks.back().network = "inner";
  EXPECT_THAT(wrong(), IsEmpty());
}

TEST_F(World, aardvark_on_another_port_serves_where_a_container_has_port_53) {
  facts.resolver.alive = true;
  model::Listener conmon;
  conmon.udp = true;
  conmon.port = 53;
  conmon.program = "conmon";
  facts.host.listeners = {conmon};
  EXPECT_THAT(wrong(), ElementsAre("dns.port-taken"));
  model::Listener ours = conmon;
  ours.address = *IpAddress::parse("10.88.0.1");
  ours.port = 1153;
  ours.program = "aardvark-dns";
  facts.host.listeners.push_back(ours);
  EXPECT_THAT(wrong(), IsEmpty());
}

TEST_F(World, a_name_server_that_takes_the_gateways_address_is_found) {
  model::Listener named;
  named.udp = true;
  named.port = 53;
  named.address = *IpAddress::parse("10.88.0.1");
  named.program = "named";
  facts.host.listeners = {named};
  EXPECT_THAT(wrong(), ElementsAre("dns.port-taken"));
}

TEST_F(World, a_crash_hides_nothing_else) {
  web().pid = 0;
  box().claims_to_run = true;
  EXPECT_THAT(wrong(), ElementsAre("ctr.crashed-shown-running"));
}

TEST_F(World, a_full_table_is_found) {
  facts.conntrack_max = 1000;
  facts.conntrack_count = 940;
  EXPECT_THAT(wrong(), IsEmpty());
  facts.conntrack_count = 990;
  EXPECT_THAT(wrong(), ElementsAre("ct.table-full"));
}

TEST_F(World, recorded_audit_lines_are_evidence) {
  facts.security_log = {
      "type=AVC msg=audit(1.1:2): avc:  denied  { mounton } for  pid=1 comm=\"pasta.avx2\""};
  EXPECT_THAT(wrong(), ElementsAre("lsm.denied"));
}

TEST_F(World, what_was_denied_before_its_container_started_is_history) {
  facts.inventory.time_ns = 2'000'000'000'000'000;  // second 2,000,000
  web().started_at = 1'500'000;
  facts.security_log = {"type=AVC msg=audit(1400000.9:1): avc:  denied  { x } for comm=\"netavark\""};
  EXPECT_THAT(wrong(), IsEmpty());
  const std::string at_start = "type=AVC msg=audit(1499998.9:2): avc:  denied  { x } for comm=\"netavark\"";
  facts.security_log.push_back(at_start);
  EXPECT_THAT(wrong(), ElementsAre("lsm.denied"));
  EXPECT_THAT(judge(facts).front().evidence, ElementsAre(at_start));
  web().pid = 0;  // a container that is gone leaves the last hour
  web().state = "exited";
  EXPECT_THAT(wrong(), IsEmpty());
  facts.security_log = {"type=AVC msg=audit(1999000.9:3): avc:  denied  { x } for comm=\"pasta\""};
  EXPECT_THAT(wrong(), ElementsAre("lsm.denied"));
}

TEST_F(World, start_errors_of_podman_name_their_check) {
  web().pid = 0;
  web().state = "exited";
  const std::vector<std::pair<const char*, const char*>> kErrors{
      {"slirp4netns support has been removed, run podman system migrate", "upgrade.podman6"},
      {"netavark: nftables error: nft did not return successfully while getting the current ruleset",
       "fw.backend-unusable"},
      {"can't initialize iptables table `nat': Table does not exist", "fw.iptables-tables-missing"},
      {"Port forwarding not possible as firewalld StrictForwardPorts enabled", "fw.firewalld-strict-forward"},
      {"IPAM error: requested ip address 10.88.0.9 is already allocated to container ID x", "ipam.conflict"},
      {"failed to bind udp listener on 10.89.0.1:53: Address in use (os error 98)", "dns.port-taken"},
  };
  for (const auto& [error, check] : kErrors) {
    web().error = error;
    EXPECT_THAT(wrong(), ElementsAre(check)) << error;
  }
}

TEST_F(World, pasta_says_in_one_sentence_why_it_has_no_port) {
  web().pid = 0;
  web().state = "created";
  web().rootless = true;
  web().owner = 1000;
  web().kind = model::NetworkKind::pasta;
  web().ports.front().host_port = 81;
  web().error =
      "pasta failed with exit code 1: Failed to bind port 81 (Permission denied) for option '-t 81-81:80-80'";
  EXPECT_THAT(wrong(), ElementsAre("port.privileged-rootless"));
  web().ports.front().host_port = 8080;
  web().error =
      "pasta failed with exit code 1: Failed to bind port 8080 (Address already in use) for option '-t 8080'";
  EXPECT_THAT(wrong(), ElementsAre("port.restart-race"));
}

TEST_F(World, a_failed_restart_of_which_podman_keeps_no_reason) {
  web().pid = 0;
  web().state = "exited";
  web().rootless = true;
  web().owner = 1000;
  web().kind = model::NetworkKind::pasta;
  EXPECT_THAT(wrong(), IsEmpty());  // it simply ended
  box().restart_failed = true;
  EXPECT_THAT(wrong(), ElementsAre("port.restart-race"));
  model::Listener other;
  other.port = 8080;
  facts.host.listeners.push_back(other);
  EXPECT_THAT(wrong(), ElementsAre("port.in-use"));
}

TEST_F(World, the_same_trouble_of_two_containers_is_one_finding) {
  add_shop();
  facts.host.state.all.forwarding = 0;
  const Findings found = judge(facts);
  ASSERT_EQ(1U, found.size());
  EXPECT_THAT(found.front().subject, HasSubstr("web"));
  EXPECT_THAT(found.front().subject, HasSubstr("shop"));
}

TEST_F(World, rules_of_iptables_are_taken_away_by_their_words_so_that_the_order_does_not_matter) {
  add_shop();
  iptables(
      "*filter\n:FORWARD ACCEPT [0:0]\n"
      "[3:180] -A FORWARD -d 10.88.0.2/32 -p tcp -m tcp --dport 80 -j DROP\n"
      "[0:0] -A FORWARD ! -i lo -d 10.88.0.3/32 -p tcp -m tcp --dport 80 -m comment --comment \"not this\" "
      "-j DROP\n"
      "COMMIT\n");
  const Findings found = judge(facts);
  ASSERT_EQ(1U, found.size());
  EXPECT_THAT(
      found.front().fix,
      ElementsAre("iptables -t filter -D FORWARD -d 10.88.0.2/32 -p tcp -m tcp --dport 80 -j DROP   # or an "
                  "accept before it",
                  "iptables -t filter -D FORWARD ! -i lo -d 10.88.0.3/32 -p tcp -m tcp --dport 80 -m comment "
                  "--comment \"not this\" -j DROP   # or an accept before it"));
}

TEST_F(World, words_of_a_rule_that_a_shell_would_run_are_in_no_command) {
  iptables(
      "*filter\n:FORWARD ACCEPT [0:0]\n"
      "-A FORWARD -d 10.88.0.2/32 -p tcp -m tcp --dport 80 -m comment --comment \"$(reboot)\" -j DROP\n"
      "COMMIT\n");
  const Findings found = judge(facts);
  ASSERT_EQ(1U, found.size());
  EXPECT_THAT(
      found.front().fix,
      ElementsAre("if iptables -t filter -S FORWARD 1 shows that rule: iptables -t filter -D FORWARD 1"
                  "   # or an accept before it"));
}

TEST_F(World, a_second_link_beside_netavarks_rule_for_invalid_packets_is_a_note_until_it_is_asked_about) {
  rules(
      R"({"nftables": [{"chain": {"family": "inet", "table": "netavark", "name": "FORWARD", "type": "filter",
    "hook": "forward", "prio": 0, "policy": "accept"}},
    {"rule": {"family": "inet", "table": "netavark", "chain": "FORWARD", "expr": [{"match": {"op": "in",
      "left": {"ct": {"key": "state"}}, "right": "invalid"}}, {"drop": null}]}}]})");
  facts.intended.driver = "none";
  facts.host.counters["ct_invalid"] = 3;
  EXPECT_THAT(judge(facts), IsEmpty());
  model::Link vpn;
  vpn.name = "wg0";
  vpn.addresses = {"10.7.0.2/24"};
  box().net.links.push_back(vpn);
  EXPECT_THAT(wrong(), IsEmpty());
  const Findings found = judge(facts);
  ASSERT_EQ(1U, found.size());
  EXPECT_EQ("fw.ct-invalid", found.front().id);
  facts.question.target = web().id;
  EXPECT_THAT(wrong(), ElementsAre("fw.ct-invalid"));
  EXPECT_EQ(Severity::warning, judge(facts).front().severity);
}

model::TcpState stalled(const char* peer) {
  model::TcpState t;
  t.remote = *IpAddress::parse(peer);
  t.remote_port = 40000;
  t.path_mtu = 1500;
  t.backoff = t.unacked = t.lost = 3;
  t.not_sent = 60000;
  return t;
}

TEST_F(World, one_peer_that_went_away_is_no_black_hole) {
  box().net.tcp = {stalled("198.51.100.1"), stalled("198.51.100.1")};
  EXPECT_THAT(judge(facts), IsEmpty());
  box().net.tcp->push_back(stalled("198.51.100.2"));
  const Findings found = judge(facts);
  ASSERT_EQ(1U, found.size());
  EXPECT_EQ("mtu.black-hole", found.front().id);
  EXPECT_EQ(Severity::warning, found.front().severity);
  box().net.tcp->back().path_mtu = 1400;  // this one has learnt the path's size
  EXPECT_THAT(judge(facts), IsEmpty());
}

TEST_F(World, a_rule_against_too_big_makes_one_stalled_connection_a_black_hole) {
  box().net.tcp = {stalled("198.51.100.1")};
  iptables(
      "*filter\n:FORWARD ACCEPT [0:0]\n"
      "-A FORWARD -p icmp -m icmp --icmp-type 3/4 -j DROP\nCOMMIT\n");
  const Findings found = judge(facts);
  ASSERT_EQ(1U, found.size());
  EXPECT_EQ("mtu.black-hole", found.front().id);
  EXPECT_EQ(Severity::error, found.front().severity);
}

constexpr const char* kForwardDrops = "*filter\n:FORWARD DROP [0:0]\n";
constexpr const char* kSetAccepts =
    "-A FORWARD -m set --match-set pods dst -j ACCEPT\n-A FORWARD -m set --match-set pods src -j ACCEPT\n";

TEST_F(World, a_drop_behind_an_accept_that_can_not_be_decided_is_a_warning) {
  for (const char* netavark : {"", ":NETAVARK_FORWARD - [0:0]\n"}) {
    const std::string id = *netavark == 0 ? "fw.foreign-forward-drop" : "fw.forward-policy-drop";
    iptables(std::string(kForwardDrops) + netavark + "COMMIT\n");
    ASSERT_EQ(id, judge(facts).front().id);
    EXPECT_EQ(Severity::error, judge(facts).front().severity);
    iptables(std::string(kForwardDrops) + netavark + kSetAccepts + "COMMIT\n");
    for (const Finding& f : judge(facts)) {
      EXPECT_EQ(Severity::warning, f.severity) << f.id;
      EXPECT_EQ(50, f.certainty);
      EXPECT_THAT(f.evidence.back(), HasSubstr("match-set pods")) << f.id;
    }
    EXPECT_EQ(id, judge(facts).front().id);
  }
}

TEST_F(World, a_drop_behind_a_drop_that_can_not_be_decided_is_certain) {
  iptables(std::string(kForwardDrops) + "-A FORWARD -m set --match-set bad src -j DROP\nCOMMIT\n");
  ASSERT_EQ("fw.foreign-forward-drop", judge(facts).front().id);
  EXPECT_EQ(Severity::error, judge(facts).front().severity);
  EXPECT_EQ(100, judge(facts).front().certainty);
}

TEST_F(World, an_accept_of_another_table_leaves_no_doubt) {
  rules(R"({"nftables": [
    {"chain": {"family": "inet", "table": "a", "name": "f", "type": "filter", "hook": "forward", "prio": 0,
      "policy": "accept"}},
    {"rule": {"family": "inet", "table": "a", "chain": "f", "expr": [{"match": {"op": "==",
      "left": {"meta": {"key": "skuid"}}, "right": 1}}, {"accept": null}]}},
    {"chain": {"family": "inet", "table": "b", "name": "f", "type": "filter", "hook": "forward", "prio": 1,
      "policy": "drop"}}]})");
  facts.intended.driver = "none";
  ASSERT_EQ("fw.foreign-forward-drop", judge(facts).front().id);
  EXPECT_EQ(Severity::error, judge(facts).front().severity);
}

TEST_F(World, what_surely_blocks_is_told_before_what_may) {
  iptables(
      "*filter\n:FORWARD ACCEPT [0:0]\n"
      "-A FORWARD -s 10.88.0.2/32 -p tcp -m tcp --dport 443 -j DROP\n"
      "-A FORWARD -m set --match-set pods dst -j ACCEPT\n"
      "-A FORWARD -d 10.88.0.2/32 -p tcp -m tcp --dport 80 -j DROP\nCOMMIT\n");
  ASSERT_EQ("fw.explicit-drop", judge(facts).front().id);
  EXPECT_EQ(Severity::error, judge(facts).front().severity);
  EXPECT_THAT(judge(facts).front().evidence.front(), HasSubstr("dport 443"));
}

TEST_F(World, rules_that_can_not_be_followed_to_the_end_are_unseen_not_healthy) {
  iptables("*filter\n:FORWARD DROP [0:0]\nCOMMIT\n");
  EXPECT_THAT(not_judged(facts), IsEmpty());
  std::string deep = "*filter\n:FORWARD DROP [0:0]\n";
  for (int i = 0; i < 20; ++i) deep += ":C" + std::to_string(i) + " - [0:0]\n";
  deep += "-A FORWARD -j C0\n";
  for (int i = 0; i < 19; ++i) deep += "-A C" + std::to_string(i) + " -j C" + std::to_string(i + 1) + "\n";
  iptables(deep + "COMMIT\n");
  EXPECT_THAT(wrong(), IsEmpty());
  ASSERT_EQ(1U, not_judged(facts).size());
  EXPECT_THAT(not_judged(facts).front().what, HasSubstr("container web"));
}

// web is a pasta container with a copy of the host's uplink.
class Pasta : public World {
 protected:
  Pasta() {
    web().rootless = true;
    web().owner = 1000;
    web().kind = model::NetworkKind::pasta;
    web().networks.clear();
    web().ports.clear();
    box().place = Place::rootless;
    box().veths.clear();
    box().net.links = {facts.host.links.front()};
    Helper pasta;
    pasta.pid = 50;
    box().helpers = {pasta};
  }
};

TEST_F(Pasta, a_link_that_a_vpn_makes_inside_is_not_pastas) {
  box().net.links.push_back(box().net.links.front());
  box().net.links.back().ifindex = 5;
  box().net.links.back().name = "tun0";
  box().net.links.back().addresses = {"10.2.0.2/24"};
  EXPECT_THAT(wrong(), IsEmpty());
}

TEST_F(Pasta, a_default_route_of_a_vpns_table_is_not_the_hosts) {
  EXPECT_THAT(wrong(), IsEmpty());
  facts.host.links.push_back(facts.host.links.front());
  facts.host.links.back().ifindex = 9;
  facts.host.links.back().name = "wg0";
  facts.host.links.back().addresses = {"10.7.0.2/24"};
  model::Route vpn = facts.host.state.routes.front();
  vpn.oif = 9;
  vpn.table = 51820;
  facts.host.state.routes.insert(facts.host.state.routes.begin(), vpn);
  EXPECT_THAT(wrong(), IsEmpty());
  EXPECT_EQ("wan0", uplink(facts.host));
  facts.host.state.routes.front().table = 254;  // now the host's own way has changed
  EXPECT_THAT(wrong(), ElementsAre("rootless.started-before-network"));
  EXPECT_EQ(Severity::warning, judge(facts).front().severity);
  EXPECT_EQ("wg0", uplink(facts.host));
  box().net.state.routes.clear();
  EXPECT_EQ(Severity::error, judge(facts).front().severity);
}

// web's network has IPv6 alone, and netavark's rules are there.
class OnlyV6 : public World {
 protected:
  OnlyV6() {
    facts.inventory.networks.front().subnets = {"fd00::/64"};
    facts.inventory.networks.front().gateways = {"fd00::1"};
    web().networks.front().addresses = {"fd00::2/64"};
    web().networks.front().gateway = "fd00::1";
    facts.host.links[1].addresses = {"fd00::1/64"};
    box().net.state.routes.front().v6 = true;
    box().host_routes.clear();
    netavark("ip6", "fd00::2");
  }
  void netavark(const std::string& family, const std::string& address) {
    const std::string at = R"("family": "inet", "table": "netavark", )";
    rules(R"({"nftables": [{"chain": {)" + at + R"("name": "PREROUTING", "type": "nat", "hook": "prerouting",
      "prio": -100, "policy": "accept"}}, {"rule": {)" +
          at + R"("chain": "PREROUTING", "expr": [{"match": {
      "op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 8080}},
      {"dnat": {"family": ")" +
          family + R"(", "addr": ")" + address + R"(", "port": 80}}]}}]})");
  }
};

TEST_F(OnlyV6, its_rules_and_its_route_are_enough) {
  EXPECT_THAT(wrong(), IsEmpty());
  netavark("ip", "10.88.0.2");
  EXPECT_THAT(wrong(), Contains("fw.rules-flushed"));
}

TEST_F(OnlyV6, its_missing_default_route_is_found) {
  box().net.state.routes.clear();
  EXPECT_THAT(wrong(), ElementsAre("ctr.no-default-route"));
  EXPECT_THAT(judge(facts).front().evidence.front(), HasSubstr("::/0"));
}

TEST_F(OnlyV6, a_port_of_a_dual_network_wants_ipv4_unless_asked_for_ipv6) {
  web().networks.front().addresses.emplace_back("10.88.0.2/16");
  EXPECT_THAT(wrong(), ElementsAre("fw.rules-flushed"));
  web().ports.front().host_ip = "::";
  EXPECT_THAT(wrong(), IsEmpty());
}

TEST_F(World, who_chose_no_default_route_has_none) {
  facts.inventory.networks.front().no_default_route = true;
  box().net.state.routes.clear();
  EXPECT_THAT(wrong(), IsEmpty());
}

TEST_F(World, of_a_bridge_that_podman_does_not_manage_the_gateway_is_a_router_and_no_rules_are_expected) {
  facts.host.links[1].addresses = {"10.88.0.77/16"};
  facts.host.state.all.forwarding = 0;
  box().host_routes.front().oif = 2;
  bridge_settings().route_localnet = 0;
  rules(R"({"nftables": []})");
  EXPECT_THAT(wrong(), Contains("link.bridge-broken"));
  facts.inventory.networks.front().unmanaged = true;
  EXPECT_THAT(wrong(), IsEmpty());
  facts.host.links[1].flags = 0;
  EXPECT_THAT(wrong(), ElementsAre("link.bridge-broken"));
}

TEST_F(World, a_dnat_of_the_users_own_for_chosen_clients_is_not_podmans) {
  const std::string begin = "*nat\n:PREROUTING ACCEPT [0:0]\n:NETAVARK-HOSTPORT-DNAT - [0:0]\n";
  const std::string podmans =
      "-A PREROUTING -m addrtype --dst-type LOCAL -j NETAVARK-HOSTPORT-DNAT\n"
      "-A NETAVARK-HOSTPORT-DNAT -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.88.0.2:80\n";
  for (const char* chosen : {"-i wg0 ", "-s 10.7.0.0/24 "}) {
    const std::string own = "-A PREROUTING " + std::string(chosen) +
                            "-p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.5:80\n";
    iptables(begin + own + podmans + "COMMIT\n");
    facts.intended.driver = "iptables";
    EXPECT_THAT(wrong(), IsEmpty()) << chosen;
    iptables(begin + own + "COMMIT\n");
    facts.intended.driver = "iptables";
    EXPECT_THAT(wrong(), ElementsAre("fw.rules-flushed")) << chosen;
  }
  iptables(begin + "-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.88.0.99:80\n" +
           podmans + "COMMIT\n");
  EXPECT_THAT(wrong(), ElementsAre("nat.stale-dnat"));
}

// firewalld's forward chain, its rules with what `dnat` does to translated packets, and a base chain for NAT.
std::string firewalld(const std::string& dnat, const std::string& more = "") {
  const std::string at = R"("family": "inet", "table": "firewalld", )";
  return R"({"nftables": [{"table": {"family": "inet", "name": "firewalld"}},
    {"chain": {)" +
         at + R"("name": "fwd", "type": "filter", "hook": "forward", "prio": 10, "policy": "accept"}},
    {"chain": {)" +
         at + R"("name": "nat", "type": "nat", "hook": "prerouting", "prio": -90, "policy": "accept"}},
    {"chain": {)" +
         at + R"("name": "in", "type": "filter", "hook": "input", "prio": 10, "policy": "accept"}},
    {"rule": {)" +
         at + R"("chain": "fwd", "expr": [{"match": {"op": "in", "left": {"ct": {"key": "state"}},
      "right": ["established", "related"]}}, {"accept": null}]}},
    {"rule": {)" +
         at + R"("chain": "fwd", "expr": [{"match": {"op": "in", "left": {"ct": {"key": "status"}},
      "right": "dnat"}}, )" +
         dnat + R"(]}})" + more + "]}";
}
constexpr const char* kAccept = R"({"accept": null})";
constexpr const char* kReject = R"({"reject": {"type": "icmpx", "expr": "admin-prohibited"}})";

// The rules hold nothing of netavark's, which is no matter here.
class WithFirewalld : public World {
 protected:
  WithFirewalld() {
    facts.firewalld.running = true;
    facts.firewalld.trusted_sources = {"10.88.0.0/16"};
    facts.intended.driver = "none";
  }
};

TEST_F(WithFirewalld, a_known_subnet_is_no_trouble) {
  EXPECT_THAT(wrong(), IsEmpty());
  rules(firewalld(kAccept));
  EXPECT_THAT(wrong(), IsEmpty());
}

TEST_F(WithFirewalld, a_forgotten_subnet_is_found_by_the_zone_where_rules_can_not_be_seen) {
  facts.firewalld.trusted_sources->clear();
  EXPECT_THAT(wrong(), ElementsAre("fw.firewalld-zone-lost"));
}

TEST_F(WithFirewalld, a_forgotten_subnet_is_no_trouble_where_the_rules_let_it_through) {
  facts.firewalld.trusted_sources->clear();
  rules(firewalld(kAccept));
  EXPECT_THAT(wrong(), IsEmpty());
}

std::string last_rule(const std::string& chain, const std::string& what) {
  return R"(, {"rule": {"family": "inet", "table": "firewalld", "chain": ")" + chain + R"(", "expr": [)" +
         what + "]}}";
}

TEST_F(WithFirewalld, a_forgotten_subnet_is_found_by_what_rejects_it) {
  facts.firewalld.trusted_sources->clear();
  rules(firewalld(kAccept, last_rule("fwd", kReject)));
  EXPECT_THAT(wrong(), ElementsAre("fw.firewalld-zone-lost"));
  rules(firewalld(kAccept, last_rule("in", kReject)));  // name queries
  EXPECT_THAT(wrong(), ElementsAre("fw.firewalld-zone-lost"));
  facts.inventory.networks.front().dns = false;
  EXPECT_THAT(wrong(), IsEmpty());
}

TEST_F(WithFirewalld, what_it_drops_for_another_reason_is_found_as_of_any_firewall) {
  rules(firewalld(kAccept, last_rule("fwd", kReject)));
  EXPECT_THAT(wrong(), ElementsAre("fw.foreign-forward-drop"));
  EXPECT_THAT(judge(facts).front().fix.front(), HasSubstr("firewall-cmd --list-all-policies"));
  model::Listener aardvark;
  aardvark.address = *IpAddress::parse("10.88.0.1");
  aardvark.port = 53;
  aardvark.udp = true;
  facts.host.listeners.push_back(aardvark);
  rules(firewalld(kAccept,
                  last_rule("in", R"({"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field":
    "dport"}}, "right": 53}}, )" + std::string(kReject))));
  EXPECT_THAT(wrong(), ElementsAre("fw.dns-input-drop"));
  // A rule before it that asks what is not known of the packet may accept.
  rules(firewalld(
      kAccept,
      last_rule("fwd", R"({"match": {"op": "==", "left": {"meta": {"key": "skuid"}}, "right": 1}}, )" +
                           std::string(kAccept)) +
          last_rule("fwd", kReject)));
  EXPECT_THAT(wrong(), IsEmpty());
}

TEST_F(WithFirewalld, strict_forwarding_is_found_by_the_rules_not_by_the_setting) {
  rules(firewalld(kReject));
  EXPECT_THAT(wrong(), ElementsAre("fw.firewalld-strict-forward"));
  facts.firewalld.strict_forward_ports = true;
  const Findings found = judge(facts);
  ASSERT_EQ(1U, found.size());
  EXPECT_THAT(found.front().evidence.front(), HasSubstr("table inet firewalld"));
  EXPECT_THAT(found.front().fix.back(),
              HasSubstr("--add-forward-port=port=8080:proto=tcp:toport=80:toaddr=10.88.0.2"));
  rules(firewalld(kAccept));
  EXPECT_THAT(judge(facts), IsEmpty());
}

TEST_F(WithFirewalld, strict_forwarding_is_found_by_the_setting_where_rules_can_not_be_seen) {
  facts.firewalld.strict_forward_ports = true;
  EXPECT_THAT(wrong(), ElementsAre("fw.firewalld-strict-forward"));
}

TEST_F(WithFirewalld, a_port_that_it_forwards_itself_is_out_of_reach_for_the_host_alone) {
  rules(firewalld(kReject,
                  last_rule("nat", R"({"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field":
    "dport"}}, "right": 8080}}, {"dnat": {"family": "ip", "addr": "10.88.0.2", "port": 80}})")));
  EXPECT_THAT(wrong(), IsEmpty());
  const Findings found = judge(facts);
  ASSERT_EQ(1U, found.size());
  EXPECT_EQ("fw.firewalld-strict-forward", found.front().id);
  facts.question.from = "host";
  facts.question.target = web().id;
  EXPECT_THAT(wrong(), ElementsAre("fw.firewalld-strict-forward"));
}

TEST_F(World, a_question_about_another_container_leaves_this_one_out) {
  box().net.listeners.clear();
  facts.question.target = std::string(64, 'f');
  EXPECT_THAT(wrong(), IsEmpty());
}

// The published port is UDP, and connection tracking has an entry to that port of `server`, which answered.
class UdpEntry : public World {
 protected:
  UdpEntry() {
    web().ports.front().protocol = "udp";
    box().net.listeners.front().udp = true;
    to("203.0.113.1");
  }
  void to(const char* server) {
    model::Conntrack entry;
    entry.protocol = 17;
    entry.orig = {*IpAddress::parse("203.0.113.2"), *IpAddress::parse(server), 40000, 8080};
    entry.reply = {*IpAddress::parse(server), *IpAddress::parse("203.0.113.2"), 8080, 40000};
    facts.host.conntrack = std::vector<model::Conntrack>{entry};
  }
};

TEST_F(UdpEntry, from_before_the_container_is_found) {
  EXPECT_THAT(wrong(), ElementsAre("ct.udp-stale"));
  facts.host.conntrack->front().reply.source = *IpAddress::parse("10.88.0.2");
  EXPECT_THAT(wrong(), IsEmpty());
}

TEST_F(UdpEntry, over_ipv6_to_a_container_without_it_is_answered_by_the_host) {
  facts.host.links.front().addresses.emplace_back("2001:db8::1/64");
  to("2001:db8::1");
  EXPECT_THAT(wrong(), IsEmpty());
}

TEST_F(UdpEntry, to_a_server_outside_is_no_client_of_the_published_port) {
  to("198.51.100.53");  // a name server in a container asks another, on the same port
  EXPECT_THAT(wrong(), IsEmpty());
}

TEST_F(UdpEntry, to_another_of_the_hosts_addresses_than_the_published_one_is_no_client_of_it) {
  facts.host.links.front().addresses.emplace_back("203.0.113.9/24");
  web().ports.front().host_ip = "203.0.113.9";
  EXPECT_THAT(wrong(), IsEmpty());
  to("203.0.113.9");
  EXPECT_THAT(wrong(), ElementsAre("ct.udp-stale"));
  web().ports.front().host_ip = "0.0.0.0";
  EXPECT_THAT(wrong(), ElementsAre("ct.udp-stale"));
}

}  // namespace
}  // namespace podshark::diagnose
