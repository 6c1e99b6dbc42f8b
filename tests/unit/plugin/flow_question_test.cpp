// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/flow_question.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <string>

namespace podshark::plugin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kWebId = "0123456789ab";
constexpr const char* kDbId = "ba9876543210";

// web 10.89.0.2:40000 → db 10.89.0.3:5432, not a SYN.
SelectedPacket packet() {
  SelectedPacket p;
  p.frame = 7;
  p.flow = {parse_ip("10.89.0.2"), parse_ip("10.89.0.3"), 40000, 5432, IPPROTO_TCP};
  p.facts.ends.src = {.name = "web", .id = kWebId};
  p.facts.ends.dst = {.name = "db", .id = kDbId};
  p.src_sole = p.dst_sole = true;
  return p;
}

void turn_round(SelectedPacket& p) {
  p.flow = p.flow.reversed();
  std::swap(p.facts.ends.src, p.facts.ends.dst);
  std::swap(p.src_sole, p.dst_sole);
}

std::string asked(const SelectedPacket& p) {
  const auto q = question(p);
  if (!q) return q.error().line();
  return (q->from.empty() ? "anybody" : q->from) + " → " + q->target;
}

Side side(std::uint16_t src_port, std::uint16_t dst_port, const Signs& signs = {}) {
  return server_of({{}, {}, src_port, dst_port, IPPROTO_TCP}, signs).side;
}

TEST(ServerEnd, is_where_a_connection_is_opened_to) {
  EXPECT_EQ(side(80, 40000, {.syn = true}), Side::dst);
  EXPECT_EQ(side(40000, 80, {.syn = true, .ack = true}), Side::src);
}

TEST(ServerEnd, is_the_one_that_records_say_was_called) {
  EXPECT_EQ(side(80, 40000, {.heading = Heading::forth}), Side::dst);
  EXPECT_EQ(side(40000, 80, {.heading = Heading::back}), Side::src);
  EXPECT_EQ(side(80, 40000, {.serving = {.src = true}, .heading = Heading::forth}), Side::dst);
  EXPECT_EQ(side(80, 40000, {.syn = true, .heading = Heading::back}), Side::dst);
}

TEST(ServerEnd, has_the_published_port_and_else_the_lower_one) {
  EXPECT_EQ(side(40000, 50051, {.serving = {.dst = true}}), Side::dst);
  EXPECT_EQ(side(50051, 40000, {.serving = {.src = true}}), Side::src);
  EXPECT_EQ(side(80, 40000, {.serving = {true, true}}), Side::src);
  EXPECT_EQ(side(40000, 80), Side::dst);
  EXPECT_EQ(side(53, 40000), Side::src);
  EXPECT_EQ(side(5000, 5000), Side::dst);
}

TEST(ServerEnd, of_a_ping_is_the_one_that_is_pinged) {
  Flow v4{parse_ip("10.0.0.1"), parse_ip("10.0.0.2"), 0, 0, 0};
  Flow v6{parse_ip("fd00::1"), parse_ip("fd00::2"), 0, 0, 0};
  EXPECT_EQ(server_of(v4, {.icmp = true, .icmp_type = 8}).side, Side::dst);
  EXPECT_EQ(server_of(v4, {.icmp = true, .icmp_type = 0}).side, Side::src);
  EXPECT_EQ(server_of(v6, {.icmp = true, .icmp_type = 128}).side, Side::dst);
  EXPECT_EQ(server_of(v6, {.icmp = true, .icmp_type = 129}).side, Side::src);
  EXPECT_EQ(server_of(v4, {.icmp = true, .icmp_type = 129}).side, Side::dst);
}

TEST(Question, is_the_same_in_both_directions) {
  SelectedPacket p = packet();
  EXPECT_EQ(asked(p), "web → db:5432/tcp");
  turn_round(p);
  EXPECT_EQ(asked(p), "web → db:5432/tcp");
}

TEST(Question, names_who_is_no_container_by_its_address) {
  SelectedPacket p = packet();
  p.facts.ends.dst = {};
  EXPECT_EQ(asked(p), "web → 10.89.0.3:5432/tcp");
  p = packet();
  p.facts.ends.src = {};
  EXPECT_EQ(asked(p), "anybody → db:5432/tcp");
  p.flow.src = parse_ip("fd00::2");
  p.flow.dst = parse_ip("fd00::3");
  p.facts.ends.src = p.facts.ends.dst;
  p.facts.ends.dst = {};
  p.flow.dst_port = 53;
  p.flow.protocol = IPPROTO_UDP;
  EXPECT_EQ(asked(p), "db → [fd00::3]:53/udp");
}

TEST(Question, of_a_ping_has_no_port) {
  SelectedPacket p = packet();
  p.flow = {parse_ip("10.89.0.2"), parse_ip("10.89.0.3"), 0, 0, 0};
  p.signs = {.icmp = true, .icmp_type = 8};
  EXPECT_EQ(asked(p), "web → db/icmp");
  p.facts.ends.dst = {};
  p.flow.src = parse_ip("fd00::2");
  p.flow.dst = parse_ip("2001:db8::1");
  EXPECT_EQ(asked(p), "web → 2001:db8::1/icmp");
}

TEST(Question, keeps_a_loopback_address_which_the_name_does_not_stand_for) {
  SelectedPacket p = packet();
  p.flow.src = p.flow.dst = parse_ip("127.0.0.1");
  p.facts.ends.src = p.facts.ends.dst;
  EXPECT_EQ(asked(p), "db → 127.0.0.1:5432/tcp");
}

TEST(Question, may_be_about_a_published_port_that_no_container_has_yet) {
  SelectedPacket p = packet();
  p.facts.ends.src = p.facts.ends.dst = {};
  p.facts.ends.published = 8080;
  p.flow.dst_port = 8080;
  p.signs.serving.dst = true;
  EXPECT_EQ(asked(p), "anybody → 10.89.0.3:8080/tcp");
}

TEST(Question, of_the_port_forwarder_is_that_of_its_client) {
  SelectedPacket p = packet();
  p.flow.src = p.flow.dst;
  p.facts.ends.src = p.facts.ends.dst;
  EXPECT_EQ(asked(p), "db → db:5432/tcp");
  p.facts.ends.published = 15432;
  EXPECT_EQ(asked(p), "anybody → db:5432/tcp");
  p.flow.src = p.flow.dst = parse_ip("127.0.0.1");
  EXPECT_EQ(asked(p), "db → 127.0.0.1:5432/tcp");
}

TEST(Question, that_makes_no_sense_says_which_packet_to_choose) {
  SelectedPacket p = packet();
  p.facts.ends.src = p.facts.ends.dst = {};
  EXPECT_THAT(asked(p), HasSubstr("neither end of the selected packet is a container"));
  p = packet();
  p.flow.src_port = p.flow.dst_port = p.flow.protocol = 0;
  EXPECT_THAT(asked(p), HasSubstr("has no port"));
  p = packet();
  p.flow.protocol = IPPROTO_SCTP;
  EXPECT_THAT(asked(p), HasSubstr("SCTP"));
  p = packet();
  p.flow.dst = parse_ip("224.0.0.251");
  EXPECT_THAT(asked(p), HasSubstr("group of receivers"));
  p.flow.dst = parse_ip("ff02::fb");
  EXPECT_THAT(asked(p), HasSubstr("group of receivers"));
  p = packet();
  const std::uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
  p.flow.src = {mac, sizeof mac};
  EXPECT_THAT(asked(p), HasSubstr("has no IP addresses"));
  EXPECT_THAT(asked({}), HasSubstr("has no IP addresses"));
}

TEST(Words, are_the_name_when_it_is_plain_and_one_containers_alone) {
  EXPECT_EQ(word_for({.name = "web_1.a-b", .id = kWebId}, true), "web_1.a-b");
  EXPECT_EQ(word_for({.name = "web", .id = kWebId}, false), kWebId);
  EXPECT_EQ(word_for({.name = "web"}, false), "web");
  EXPECT_EQ(word_for({}, true), "");
}

TEST(Words, never_look_like_an_option_or_something_else) {
  const std::string longest(NamePool::kMaxName, 'x');
  for (const std::string& name :
       {std::string("-o"), std::string("--from"), std::string("a b"), std::string("a:80"), std::string("a/b"),
        std::string("*"), std::string("käse"), std::string("host"), std::string("all"), std::string("pod"),
        std::string("10.0.0.1"), std::string("$(id)"), longest}) {
    EXPECT_EQ(word_for({.name = name.c_str(), .id = kWebId}, true), kWebId) << name;
    EXPECT_EQ(word_for({.name = name.c_str()}, true), "") << name;
    EXPECT_EQ(word_for({.name = name.c_str(), .id = "-23456789abc"}, true), "") << name;
  }
}

TEST(Words, that_are_missing_leave_the_address) {
  SelectedPacket p = packet();
  p.facts.ends.dst = {.name = "--help", .id = "--version"};
  p.facts.ends.src = {.name = "--json", .id = nullptr};
  EXPECT_EQ(asked(p), "anybody → 10.89.0.3:5432/tcp");
  p.facts.ends.dst = {.name = "alias"};  // of podman's name server: maybe no container's name
  EXPECT_EQ(asked(p), "anybody → 10.89.0.3:5432/tcp");
}

TEST(Commands, ask_check_and_probe_the_same) {
  EXPECT_THAT(check_command("/p", {"web", "db:80/tcp"}),
              ElementsAre("/p", "check", "--from", "web", "db:80/tcp"));
  EXPECT_THAT(probe_command("/p", {"", "db:80/tcp"}), ElementsAre("/p", "probe", "db:80/tcp"));
}

TEST(Commands, about_another_machine_are_shown_for_it) {
  SelectedPacket p = packet();
  EXPECT_EQ(question(p)->host, "");
  p.facts.host = "me@a:2222";
  EXPECT_EQ(question(p)->host, "me@a:2222");
  const std::string told = ask_there("check", *question(p));
  EXPECT_THAT(told, HasSubstr("captured on me@a:2222"));
  EXPECT_THAT(told, HasSubstr("\n$ podshark check --host me@a:2222 --from web db:5432/tcp\n"));
}

TEST(Commands, hold_no_host_that_a_shell_or_ssh_would_misunderstand) {
  SelectedPacket p = packet();
  for (const char* host : {"a;id", "$(id)", "-oProxyCommand=id", "a b", "a'", "a\nid", "a`id`", "~", "a*"}) {
    p.facts.host = host;
    EXPECT_THAT(ask_there("probe", *question(p)),
                HasSubstr("\n$ podshark probe --host HOST --from web db:5432/tcp\n"))
        << host;
  }
}

TEST(FlowFilter, takes_both_directions) {
  SelectedPacket p = packet();
  EXPECT_EQ(flow_action(p)->filter,
            "ip.addr == 10.89.0.2 && ip.addr == 10.89.0.3 && tcp.port == 40000 && tcp.port == 5432");
  p.flow = {parse_ip("fd00::2"), parse_ip("fd00::3"), 0, 0, 0};
  p.signs.icmp = true;
  EXPECT_EQ(flow_action(p)->filter, "ipv6.addr == fd00::2 && ipv6.addr == fd00::3 && icmpv6");
  p.flow = {};
  EXPECT_FALSE(flow_action(p));
}

TEST(FlowFilter, takes_the_other_leg_of_a_translation_too) {
  SelectedPacket p = packet();
  const Translation nat{{"192.0.2.1", "10.0.0.1", 40000, 8080}, {"10.89.0.3", "10.89.0.2", 5432, 40000}};
  p.facts.ends.nat = &nat;
  EXPECT_EQ(flow_action(p)->filter,
            "(ip.addr == 10.89.0.2 && ip.addr == 10.89.0.3 && tcp.port == 40000 && tcp.port == 5432) || "
            "(ip.addr == 192.0.2.1 && ip.addr == 10.0.0.1 && tcp.port == 40000 && tcp.port == 8080)");
  const Translation forged{{"x || frame", "10.0.0.1", 1, 2}, {nullptr, nullptr, 0, 0}};
  p.facts.ends.nat = &forged;
  EXPECT_THAT(flow_action(p)->filter, ::testing::Not(HasSubstr("frame")));
}

TEST(OtherLeg, is_told_or_why_not) {
  SelectedPacket p = packet();
  EXPECT_THAT(other_leg_action(p).error().what, HasSubstr("no record of this file tells"));
  EXPECT_THAT(both_legs_action(p).error().what, HasSubstr("no record of this file tells"));
  const Translation nat{{"192.0.2.1", "10.0.0.1", 40000, 8080}, {"10.89.0.3", "10.89.0.2", 5432, 40000}};
  p.facts.ends.nat = &nat;
  EXPECT_THAT(other_leg_action(p).error().what, HasSubstr("--point both"));
  EXPECT_EQ(both_legs_action(p)->filter, flow_action(p)->filter);
  p.other_leg = 7;
  EXPECT_EQ(other_leg_action(p)->frame, 7U);
  EXPECT_EQ(other_leg_action(p)->filter, "");
}

}  // namespace
}  // namespace podshark::plugin
