// SPDX-License-Identifier: GPL-2.0-or-later
// Every row of the table "a successful connect proves nothing", and the faults whose outcomes were measured.
#include "podman/probe/conclude.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace podshark::probe {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

// A connection to web's published port that somebody has accepted, with nothing said for 400 ms.
Evidence connected_to_published(bool rootless) {
  Evidence e;
  e.attempt.protocol = Protocol::tcp;
  e.attempt.local = {ip("127.0.0.1"), 40000};
  e.attempt.remote = {ip("127.0.0.1"), 28080};
  e.attempt.connected = true;
  e.attempt.watched = milliseconds(400);
  e.timeout = milliseconds(3000);
  e.container = "web";
  e.container_port = 80;
  e.published = true;
  e.rootless = rootless;
  e.holder = rootless ? Holder::forwarder : Holder::conmon;
  e.holder_name = rootless ? "rootlessport" : "conmon";
  e.held = 0;
  e.server_end = rootless ? ServerEnd::accepted : ServerEnd::absent;
  e.inside.known = true;
  e.inside.listens = true;
  e.inside.server_end = rootless ? ServerEnd::absent : ServerEnd::accepted;
  e.traceable = !rootless;
  return e;
}

// Somebody else keeps it open.
Evidence connected_elsewhere() {
  Evidence e = connected_to_published(false);
  e.inside.server_end = ServerEnd::absent;
  return e;
}

Evidence failed_with(int error) {
  Evidence e = connected_to_published(false);
  e.attempt.connected = false;
  e.attempt.error = error;
  return e;
}

void nothing_listens(Evidence& e) {
  e.inside.listens = false;
  e.inside.ports = {8080, 9090};
}

TEST(Conclude, rootful_published_port_that_works_reached_the_application) {
  const Conclusion c = conclude(connected_to_published(false));
  EXPECT_EQ(c.outcome, Outcome::ok);
  EXPECT_EQ(c.reason, "reached the application");
  EXPECT_THAT(c.hint, IsEmpty());
}

TEST(Conclude, a_connection_that_the_container_has_no_trace_of_has_not_reached_it) {
  Evidence e = connected_elsewhere();
  Conclusion c = conclude(e);
  EXPECT_EQ(c.outcome, Outcome::silent);
  EXPECT_EQ(c.reason, "connected, but not to 'web'");
  EXPECT_THAT(c.hint, HasSubstr("podman network reload web"));
  nothing_listens(e);
  EXPECT_THAT(conclude(e).evidence, Contains("moreover, nothing listens on port 80 inside 'web'"));
  e.published = false;
  c = conclude(e);
  EXPECT_EQ(c.outcome, Outcome::silent);
  EXPECT_THAT(c.hint, HasSubstr("may have its address"));
  e.attempt.answered = true;
  e.attempt.said = "SSH-2.0";
  EXPECT_EQ(conclude(e).outcome, Outcome::silent) << "another one answers";
}

TEST(Conclude, another_process_on_the_published_port_of_the_host_is_not_the_container) {
  Evidence e = connected_elsewhere();
  e.server_end = ServerEnd::accepted;
  e.holder = Holder::other;
  e.holder_name = "nginx";
  e.inside.others = true;
  const Conclusion c = conclude(e);
  EXPECT_EQ(c.outcome, Outcome::silent);
  EXPECT_THAT(c.evidence, Contains("on the host, nginx has accepted it"));
}

TEST(Conclude, among_other_connections_its_port_may_have_been_changed) {
  Evidence e = connected_elsewhere();
  e.inside.others = true;
  const Conclusion c = conclude(e);
  EXPECT_EQ(c.outcome, Outcome::ok);
  EXPECT_EQ(c.reason, "connected, and kept open");
  EXPECT_THAT(c.evidence, Contains(HasSubstr("masquerading has changed it")));
}

TEST(Conclude, what_could_not_be_seen_inside_is_not_missed) {
  Evidence e = connected_elsewhere();
  e.traceable = false;
  EXPECT_EQ(conclude(e).outcome, Outcome::ok);
  e = connected_elsewhere();
  e.inside.server_end = ServerEnd::deferred;
  EXPECT_EQ(conclude(e).outcome, Outcome::ok);
}

TEST(Conclude, a_connection_that_waits_in_conmons_queue_means_that_dnat_is_missing) {
  Evidence e = connected_to_published(false);
  e.server_end = ServerEnd::waiting;
  e.held = 3;
  const Conclusion c = conclude(e);
  EXPECT_EQ(c.outcome, Outcome::silent);
  EXPECT_THAT(c.reason, HasSubstr("DNAT is missing"));
  EXPECT_THAT(c.evidence,
              Contains(HasSubstr("conmon, which holds the port on the host and never accepts (Recv-Q 3)")));
  EXPECT_EQ(c.hint, "podman network reload web");
}

TEST(Conclude, conmons_queue_alone_is_enough_when_the_connection_is_in_another_namespace) {
  Evidence e = connected_to_published(false);
  e.server_end = ServerEnd::unknown;
  e.held = 1;
  EXPECT_EQ(conclude(e).outcome, Outcome::silent);
}

TEST(Conclude, old_connections_in_conmons_queue_do_not_spoil_one_that_was_translated) {
  Evidence e = connected_to_published(false);
  e.held = 3;
  EXPECT_EQ(conclude(e).outcome, Outcome::ok);
}

TEST(Conclude, an_internal_network_has_no_port_rules_and_reloading_would_not_help) {
  Evidence e = connected_to_published(false);
  e.server_end = ServerEnd::waiting;
  e.unforwarded = "it is internal";
  const Conclusion c = conclude(e);
  EXPECT_THAT(c.evidence, Contains(HasSubstr("it is internal")));
  EXPECT_THAT(c.hint, Not(HasSubstr("reload")));
}

TEST(Conclude, rootful_without_listener_is_refused_and_the_ports_that_listen_are_named) {
  Evidence e = failed_with(ECONNREFUSED);
  nothing_listens(e);
  const Conclusion c = conclude(e);
  EXPECT_EQ(c.outcome, Outcome::refused);
  EXPECT_EQ(c.reason, "nothing listens on port 80 inside 'web'");
  EXPECT_THAT(c.evidence, Contains("it listens on 8080, 9090"));
}

TEST(Conclude, refused_by_an_application_on_loopback_only_says_so) {
  Evidence e = failed_with(ECONNREFUSED);
  e.inside.listens = false;
  e.inside.loopback_only = true;
  const Conclusion c = conclude(e);
  EXPECT_EQ(c.outcome, Outcome::refused);
  EXPECT_THAT(c.reason, HasSubstr("loopback"));
  EXPECT_THAT(c.hint, HasSubstr("0.0.0.0"));
}

TEST(Conclude, refused_although_it_listens_points_to_rules) {
  EXPECT_THAT(conclude(failed_with(ECONNREFUSED)).reason, HasSubstr("although the application listens"));
}

TEST(Conclude, no_answer_is_filtered) {
  const Conclusion c = conclude(failed_with(ETIMEDOUT));
  EXPECT_EQ(c.outcome, Outcome::filtered);
  EXPECT_THAT(c.reason, HasSubstr("no answer within 3 s"));
}

TEST(Conclude, a_firewalls_reject_is_told_from_a_missing_host) {
  Evidence e = failed_with(EHOSTUNREACH);
  e.attempt.icmp = IcmpError{ip("203.0.113.1"), 3, 13, 0};
  Conclusion c = conclude(e);
  EXPECT_EQ(c.outcome, Outcome::unreachable);
  EXPECT_EQ(c.reason, "a firewall rejects it");
  EXPECT_THAT(c.evidence, Contains("ICMP: administratively prohibited (type 3 code 13) from 203.0.113.1"));
  e.attempt.icmp.reset();
  EXPECT_THAT(conclude(e).reason, HasSubstr("no neighbour on the link"));
  EXPECT_THAT(conclude(failed_with(ENETUNREACH)).reason, HasSubstr("no route"));
}

TEST(Conclude, rootless_forwarder_that_closes_at_once_without_listener) {
  Evidence e = connected_to_published(true);
  e.attempt.closed = true;
  e.attempt.watched = milliseconds(2);
  nothing_listens(e);
  const Conclusion c = conclude(e);
  EXPECT_EQ(c.outcome, Outcome::closed);
  EXPECT_EQ(c.reason, "nothing listens on port 80 inside 'web'");
  EXPECT_THAT(c.evidence, Contains("rootlessport accepts on the host before it tries the container"));
}

TEST(Conclude, rootless_forwarder_that_resets_counts_as_closed) {
  Evidence e = connected_to_published(true);
  e.attempt.reset = true;
  const Conclusion c = conclude(e);
  EXPECT_EQ(c.outcome, Outcome::closed);
  EXPECT_THAT(c.reason, HasSubstr("could not reach the application"));
}

TEST(Conclude, rootless_dead_forwarder_is_refused_and_wants_a_restart) {
  Evidence e = connected_to_published(true);
  e.attempt.connected = false;
  e.attempt.error = ECONNREFUSED;
  e.holder = Holder::none;
  const Conclusion c = conclude(e);
  EXPECT_EQ(c.outcome, Outcome::refused);
  EXPECT_THAT(c.reason, HasSubstr("forwarder has died"));
  EXPECT_EQ(c.hint, "podman restart web");
}

TEST(Conclude, rootless_forwarder_that_keeps_open_without_listener_is_not_believed) {
  Evidence e = connected_to_published(true);
  nothing_listens(e);
  EXPECT_EQ(conclude(e).outcome, Outcome::silent);
}

TEST(Conclude, a_rootless_port_that_works_is_ok) {
  EXPECT_EQ(conclude(connected_to_published(true)).outcome, Outcome::ok);
}

TEST(Conclude, an_application_that_does_not_accept_is_silent) {
  Evidence e = connected_to_published(false);
  e.published = false;
  e.inside.server_end = ServerEnd::waiting;
  e.inside.queue = 5;
  const Conclusion c = conclude(e);
  EXPECT_EQ(c.outcome, Outcome::silent);
  EXPECT_THAT(c.reason, HasSubstr("does not accept"));
  EXPECT_THAT(c.evidence, Contains(HasSubstr("Recv-Q 5")));
}

TEST(Conclude, of_a_stranger_only_that_it_kept_the_connection_is_said) {
  Evidence e;
  e.attempt.connected = true;
  const Conclusion c = conclude(e);
  EXPECT_EQ(c.outcome, Outcome::ok);
  EXPECT_EQ(c.reason, "connected, and kept open");
}

TEST(Conclude, bytes_are_the_best_witness) {
  Evidence e = connected_to_published(true);
  e.attempt.answered = true;
  e.attempt.said = "SSH-2.0";
  EXPECT_EQ(conclude(e).reason, "reached the application: it answered");
}

TEST(Conclude, with_a_listener_of_ours_only_its_own_answer_counts) {
  Evidence e = connected_to_published(false);
  e.expected = "podshark 0badcafe";
  EXPECT_EQ(conclude(e).outcome, Outcome::silent);
  e.attempt.answered = true;
  e.attempt.said = "HTTP/1.0\x1b[31m";
  const Conclusion other = conclude(e);
  EXPECT_EQ(other.outcome, Outcome::silent);
  EXPECT_THAT(other.evidence, Contains(Not(HasSubstr("\x1b"))));
  e.attempt.said = "podshark 0badcafe\n";
  EXPECT_EQ(conclude(e).outcome, Outcome::ok);
}

TEST(Conclude, udp_silence_depends_on_who_has_a_socket) {
  Evidence e = failed_with(ETIMEDOUT);
  e.attempt.protocol = Protocol::udp;
  EXPECT_EQ(conclude(e).outcome, Outcome::silent) << "a service may ignore what it does not understand";
  nothing_listens(e);
  EXPECT_EQ(conclude(e).outcome, Outcome::filtered) << "a host without socket would have refused";
  e.held = 2;
  EXPECT_THAT(conclude(e).reason, HasSubstr("DNAT is missing"));
}

TEST(Conclude, udp_that_arrived_but_was_not_answered_lost_its_answer) {
  Evidence e = failed_with(ETIMEDOUT);
  e.attempt.protocol = Protocol::udp;
  e.expected = "podshark 0badcafe";
  e.arrived = true;
  const Conclusion c = conclude(e);
  EXPECT_EQ(c.outcome, Outcome::filtered);
  EXPECT_THAT(c.reason, HasSubstr("lost on the way back"));
}

TEST(Conclude, udp_port_unreachable_is_refused) {
  Evidence e = failed_with(ECONNREFUSED);
  e.attempt.protocol = Protocol::udp;
  nothing_listens(e);
  EXPECT_EQ(conclude(e).outcome, Outcome::refused);
}

TEST(Conclude, dns_tells_a_missing_name_from_a_missing_server) {
  Evidence e;
  e.attempt.protocol = Protocol::dns;
  e.attempt.remote = {ip("10.89.0.1"), 53};
  e.attempt.dns.name = "db.dns.podman";
  e.attempt.error = ECONNREFUSED;
  EXPECT_EQ(conclude(e).outcome, Outcome::refused);
  e.attempt.error = ETIMEDOUT;
  EXPECT_EQ(conclude(e).outcome, Outcome::filtered);
  e.attempt.error = 0;
  e.attempt.answered = true;
  e.attempt.dns.code = 3;
  EXPECT_EQ(conclude(e).outcome, Outcome::no_name);
  EXPECT_THAT(conclude(e).reason, HasSubstr("no such name"));
  e.attempt.dns.code = 0;
  EXPECT_EQ(conclude(e).outcome, Outcome::no_name);
  e.attempt.dns.addresses = {ip("10.89.0.3")};
  EXPECT_EQ(conclude(e).reason, "'db.dns.podman' is 10.89.0.3");
}

TEST(Conclude, a_black_hole_is_no_healthy_path_mtu) {
  Evidence e;
  e.attempt.protocol = Protocol::path_mtu;
  e.attempt.answered = true;
  e.attempt.mtu = 1400;
  EXPECT_EQ(conclude(e).outcome, Outcome::ok);
  e.attempt.mtu_silent = true;
  EXPECT_EQ(conclude(e).outcome, Outcome::filtered);
}

TEST(Conclude, what_was_not_tried_is_not_measured) {
  Evidence e;
  e.attempt.not_measured = "no ping allowed";
  const Conclusion c = conclude(e);
  EXPECT_EQ(c.outcome, Outcome::not_measured);
  EXPECT_EQ(c.reason, "no ping allowed");
  EXPECT_EQ(conclude(failed_with(EADDRNOTAVAIL)).outcome, Outcome::not_measured);
}

TEST(Conclude, icmp_errors_of_ipv6_have_their_own_numbers) {
  EXPECT_EQ(to_string(IcmpError{ip("fd00::1"), 1, 1, 0}),
            "administratively prohibited (type 1 code 1) from fd00::1");
  EXPECT_EQ(to_string(IcmpError{ip("fd00::1"), 2, 0, 1280}),
            "packet too big, at most 1280 bytes (type 2 code 0) from fd00::1");
}

}  // namespace
}  // namespace podshark::probe
