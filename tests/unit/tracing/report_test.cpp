// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/trace/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "podman/firewall/parse_iptables.h"

namespace podshark::extcap::tracing {
namespace {

using firewall::Hook;
using model::Container;
using model::NetworkKind;
using probing::Aim;
using probing::Source;
using testing::Contains;
using testing::HasSubstr;

Container container(pid_t pid, bool rootless, NetworkKind kind) {
  Container c;
  c.name = "c" + std::to_string(pid);
  c.pid = pid;
  c.rootless = rootless;
  c.kind = kind;
  return c;
}

Source from(const Container& c) {
  Source s;
  s.name = c.name;
  s.pid = c.pid;
  s.container = c;
  return s;
}

Aim at(const Container& c, bool published = false) {
  Aim a;
  a.container = c;
  a.published = published;
  return a;
}

TEST(Ways, of_rootful_containers_lead_over_the_host) {
  const Container web = container(1, false, NetworkKind::bridge);
  const Container db = container(2, false, NetworkKind::bridge);
  for (const Ways& w : {ways({}, at(web)), ways(from(db), at(web)), ways(from(db), {})}) {
    EXPECT_TRUE(w.host);
    EXPECT_FALSE(w.rootless);
  }
  EXPECT_FALSE(ways(from(web), at(web)).host);  // to itself
}

TEST(Ways, between_rootless_containers_the_host_is_not_met) {
  const Container left = container(1, true, NetworkKind::bridge);
  const Container right = container(2, true, NetworkKind::bridge);
  EXPECT_FALSE(ways(from(right), at(left)).host);
  EXPECT_TRUE(ways(from(right), at(left)).rootless);
  EXPECT_TRUE(ways(from(right), {}).host);  // outwards
  EXPECT_TRUE(ways({}, at(left, true)).host);
  EXPECT_FALSE(ways({}, at(container(3, true, NetworkKind::pasta), true)).rootless);
}

probing::ProbeResult probe_of(bool reached) {
  probing::ProbeResult r;
  r.from = "host";
  r.aim.target = "web:80/tcp";
  r.aim.to = {*IpAddress::parse("10.88.0.2"), 80};
  r.aim.container_port = 80;
  r.attempt.local = {*IpAddress::parse("10.88.0.1"), 40000};
  r.attempt.remote = r.aim.to;
  r.conclusion.outcome = reached ? probe::Outcome::ok : probe::Outcome::filtered;
  return r;
}

trace::Event event(const char* chain, std::uint16_t sport, std::uint16_t dport) {
  trace::Event e;
  e.family = firewall::Family::inet;
  e.table = "podshark_trace_7";
  e.chain = chain;
  e.handle = 3;
  e.id = sport;
  trace::Headers h;
  h.src = *IpAddress::parse("10.88.0.1");
  h.dst = *IpAddress::parse("10.88.0.2");
  h.protocol = IPPROTO_TCP;
  h.transport = true;
  h.tcp_flags = 2;
  h.sport = sport;
  h.dport = dport;
  e.headers = h;
  return e;
}

PlaceReport judged(const Recording& recording, const firewall::Ruleset& rules, bool reached) {
  const TracePlace place{"the host", NetnsPlace::host(), {}};
  return judge_place(place, recording, {rules, rules, "podshark_trace_7"}, probe_of(reached));
}

Recording sent() {
  Recording out;
  out.whole = true;
  out.events = {event("out", 40000, 80), event("post", 40000, 80), event("pre", 50000, 80)};
  out.events[1].oif = 5;
  out.links[5] = "podman\n0";
  return out;
}

TEST(Report, others_packets_are_left_out_where_the_probes_own_are_seen) {
  const PlaceReport place = judged(sent(), {}, true);
  ASSERT_EQ(place.packets.all.size(), 1U);
  EXPECT_TRUE(place.probes);
  EXPECT_EQ(place.packets.all[0].end, trace::End::left);
  EXPECT_EQ(link_name(place, 5), "podman 0");
  EXPECT_EQ(link_name(place, 6), "link 6");
  EXPECT_TRUE(is_request(place.packets.all[0], probe_of(true)));
}

TEST(Report, where_a_forwarder_made_the_connection_all_are_shown) {
  Recording recording;
  recording.events = {event("pre", 50000, 80)};
  const PlaceReport place = judged(recording, {}, true);
  EXPECT_EQ(place.packets.all.size(), 1U);
  EXPECT_FALSE(place.probes);
  EXPECT_THAT(place.notes, Contains(HasSubstr("the tracer ended early")));
}

TEST(Report, legacy_rules_that_can_not_be_traced_are_judged) {
  const firewall::Ruleset rules =
      firewall::parse_iptables_save(
          "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -m tcp --dport 80 -j DROP\nCOMMIT\n",
          firewall::Family::ip, firewall::Maker::iptables_legacy)
          .value();
  Recording recording = sent();
  recording.no_legacy = "another program receives the NFLOG group 0";
  Report report;
  report.probe = probe_of(false);
  report.places.push_back(judged(recording, rules, false));
  ASSERT_EQ(report.places[0].judged.size(), 1U);
  EXPECT_EQ(report.places[0].judged[0].hook, Hook::output);
  EXPECT_EQ(report.places[0].judged[0].outcome, "drop");
  report.summary = summarise(report);
  EXPECT_THAT(report.summary,
              HasSubstr("drop in the host, output, as its legacy rules read: iptables-legacy"));
  EXPECT_THAT(render_text(report),
              Contains(HasSubstr("legacy rules cannot be traced here because another program "
                                 "receives the NFLOG group 0; judged from the rules instead")));
  EXPECT_THAT(render_json(report), HasSubstr("\"judged\":[{\"hook\":\"output\",\"outcome\":\"drop\""));
}

TEST(Report, a_forwarder_that_accepts_does_not_hide_a_drop_behind_it) {
  trace::Event drop = event("i", 50000, 80);
  drop.table = "t";
  drop.verdict = trace::Verdict::drop;
  Recording recording;
  recording.whole = true;
  recording.events = {event("pre", 50000, 80), drop};
  Report report;
  report.probe = probe_of(true);
  report.probe.aim.published = true;
  report.places.push_back(judged(recording, {}, true));
  EXPECT_FALSE(came_through(report));
  EXPECT_THAT(summarise(report),
              HasSubstr("a forwarder accepted the probe, but its own connection is dropped in"));
  report.places[0].packets.all[0].end = trace::End::delivered;
  EXPECT_TRUE(came_through(report));
}

TEST(Report, losses_are_told) {
  Recording recording = sent();
  recording.overruns = 3;
  recording.left_out = 1;
  const PlaceReport place = judged(recording, {}, true);
  EXPECT_THAT(place.notes, Contains(HasSubstr("ENOBUFS")));
  EXPECT_THAT(place.notes, Contains(HasSubstr("more packets than are kept")));
}

TEST(Report, nothing_seen_is_said_with_the_likely_reason) {
  Report report;
  report.probe = probe_of(false);
  report.places.push_back(judged({}, {}, false));
  report.untraced.push_back({"container 'web'", {ErrorKind::permission, "no", "sudo"}});
  report.summary = summarise(report);
  EXPECT_THAT(report.summary, HasSubstr("no packet was seen"));
  EXPECT_THAT(render_text(report), Contains(HasSubstr("within one bridge packets meet no rules")));
  EXPECT_THAT(render_text(report), Contains("  not traced: no (sudo)"));
}

}  // namespace
}  // namespace podshark::extcap::tracing
