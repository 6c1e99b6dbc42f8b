// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/probe/records.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace podshark::extcap::probing {
namespace {

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

ProbeResult result(probe::Protocol protocol, probe::Outcome outcome) {
  ProbeResult r;
  r.time_ns = 5;
  r.id = "0badcafe";
  r.from = "db";
  r.aim.target = "web:80/tcp";
  r.aim.container_name = "web";
  r.aim.protocol = r.attempt.protocol = protocol;
  r.attempt.local = {ip("10.88.0.3"), 40000};
  r.attempt.remote = {ip("10.88.0.2"), 80};
  r.conclusion.outcome = outcome;
  r.conclusion.reason = "because";
  r.conclusion.hint = "do this";
  return r;
}

TEST(Records, the_first_tells_the_packets_and_the_second_the_outcome) {
  const ProbeResult r = result(probe::Protocol::tcp, probe::Outcome::refused);
  const annotate::Event started = started_record(r, {});
  EXPECT_EQ(started.what, "started");
  EXPECT_EQ(started.time_ns, 5);
  EXPECT_EQ(started.verdict, "");
  EXPECT_EQ(started.orig, (annotate::Event::Tuple{"10.88.0.3", "10.88.0.2", 40000, 80}));
  const annotate::Event ended = ended_record(r, 9);
  EXPECT_EQ(ended.what, "ended");
  EXPECT_EQ(ended.time_ns, 9);
  EXPECT_EQ(ended.verdict, "failed");
  EXPECT_EQ(ended.reason, "refused");
  EXPECT_EQ(ended.fix, "do this");
  EXPECT_EQ(ended.id, started.id);
}

TEST(Records, verdicts) {
  EXPECT_EQ(ended_record(result(probe::Protocol::tcp, probe::Outcome::ok), 0).verdict, "ok");
  EXPECT_EQ(ended_record(result(probe::Protocol::tcp, probe::Outcome::not_measured), 0).verdict, "warning");
}

TEST(Records, an_echo_has_no_ports_and_a_name_query_is_udp) {
  const annotate::Event ping = started_record(result(probe::Protocol::icmp, probe::Outcome::ok), {});
  EXPECT_EQ(ping.protocol, "icmp");
  EXPECT_EQ(ping.orig.src_port, 0);
  EXPECT_EQ(started_record(result(probe::Protocol::dns, probe::Outcome::ok), {}).protocol, "udp");
}

TEST(Records, a_probe_that_never_began_has_no_packets) {
  ProbeResult r = result(probe::Protocol::tcp, probe::Outcome::unreachable);
  r.attempt.local = {};
  EXPECT_EQ(started_record(r, {}).orig, annotate::Event::Tuple{});
}

TEST(Records, the_translation_is_that_of_the_same_connection) {
  const ProbeResult r = result(probe::Protocol::tcp, probe::Outcome::ok);
  model::Conntrack other;
  other.protocol = IPPROTO_UDP;
  other.orig = {ip("10.88.0.3"), ip("10.88.0.2"), 40000, 80};
  other.reply = {ip("10.88.0.9"), ip("10.88.0.1"), 1, 2};
  model::Conntrack right = other;
  right.protocol = IPPROTO_TCP;
  right.reply = {ip("10.88.0.5"), ip("10.88.0.1"), 8080, 40000};
  EXPECT_EQ(reply_tuple(r.attempt, {other}), annotate::Event::Tuple{});
  EXPECT_EQ(reply_tuple(r.attempt, {other, right}),
            (annotate::Event::Tuple{"10.88.0.5", "10.88.0.1", 8080, 40000}));
}

}  // namespace
}  // namespace podshark::extcap::probing
