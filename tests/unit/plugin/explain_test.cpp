// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <string>
#include <vector>

namespace podshark::plugin {
namespace {

using annotate::Event;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kWebId = "0123456789ab";

SelectedPacket packet() {
  SelectedPacket p;
  p.frame = 10;
  p.flow = {parse_ip("10.89.0.2"), parse_ip("10.89.0.3"), 40000, 80, IPPROTO_TCP};
  p.facts.ends.src = {.name = "web", .id = kWebId, .image = "bb:1", .pod = "shop", .network = "net"};
  p.facts.ends.dst = {.name = "db", .id = "ba9876543210"};
  return p;
}

Event event(const std::string& kind, const std::string& src, std::uint16_t src_port, const std::string& dst,
            std::uint16_t dst_port) {
  Event e;
  e.kind = kind;
  e.protocol = "tcp";
  e.orig = {src, dst, src_port, dst_port};
  return e;
}

Event about_container(const std::string& kind, const std::string& name, const std::string& id = {}) {
  Event e;
  e.kind = kind;
  e.container = name;
  e.container_id = id;
  return e;
}

class Log : public ::testing::Test {
 protected:
  void learn(const Event& e) { log.learn(++frame, e); }
  [[nodiscard]] std::vector<std::uint32_t> told(const SelectedPacket& p) const {
    std::vector<std::uint32_t> out;
    for (const Told& t : log.about(sought(p))) out.push_back(t.frame);
    return out;
  }
  EventLog log;
  std::uint32_t frame = 0;
};

TEST_F(Log, tells_of_the_same_client_and_service_in_both_directions) {
  learn(event("probe", "10.89.0.2", 50000, "10.89.0.3", 80));
  learn(event("drop", "10.89.0.3", 80, "10.89.0.2", 40000));
  learn(event("drop", "10.89.0.2", 40000, "10.89.0.3", 81));
  learn(event("drop", "10.89.0.9", 40000, "10.89.0.3", 80));
  learn(event("check", "10.89.0.2", 0, "10.89.0.3", 0));
  Event udp = event("drop", "10.89.0.2", 40000, "10.89.0.3", 80);
  udp.protocol = "udp";
  learn(udp);
  SelectedPacket p = packet();
  EXPECT_THAT(told(p), ElementsAre(1, 2, 5));
  p.flow = p.flow.reversed();
  EXPECT_THAT(told(p), ElementsAre(1, 2, 5));
}

TEST_F(Log, tells_of_a_translation_only_for_its_own_connection) {
  Event nat = event("nat", "10.89.0.2", 40000, "192.0.2.1", 8080);
  nat.reply = {"10.89.0.3", "10.89.0.2", 80, 40000};
  learn(nat);
  nat.orig.src_port = nat.reply.dst_port = 40001;
  learn(nat);
  EXPECT_THAT(told(packet()), ElementsAre(1));
}

TEST_F(Log, looks_at_both_legs_of_a_translation) {
  learn(event("drop", "203.0.113.2", 40000, "192.0.2.1", 8080));
  SelectedPacket p = packet();
  EXPECT_THAT(told(p), ElementsAre());
  const Translation nat{{"203.0.113.2", "192.0.2.1", 40000, 8080}, {"10.89.0.3", "10.89.0.2", 80, 40000}};
  p.facts.ends.nat = &nat;
  EXPECT_THAT(told(p), ElementsAre(1));
}

TEST_F(Log, tells_of_the_containers_where_no_connection_is_named) {
  learn(about_container("check", "web", std::string(kWebId) + std::string(52, '0')));
  learn(about_container("firewall", "db"));
  learn(about_container("check", "web", std::string(64, 'f')));  // another one of that name
  learn(about_container("gap", "cache"));
  for (const char* kind : {"stats", "mark", "lifecycle"}) learn(about_container(kind, "web"));
  learn(about_container("check", ""));
  EXPECT_THAT(told(packet()), ElementsAre(1, 2));
  EXPECT_THAT(told({}), ElementsAre());
}

TEST_F(Log, says_in_one_clean_line_what_a_record_says) {
  Event e = event("drop", "10.89.0.2", 1, "10.89.0.3", 80);
  e.reason = "NETFILTER_DROP";
  e.count = 3;
  e.detail = "a\nb\x1b[31m";
  e.fix = "iptables -D x";
  learn(e);
  learn(event("probe", "10.89.0.2", 1, "10.89.0.3", 80));
  const auto all = log.about(sought(packet()));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].text, "drop, NETFILTER_DROP, 3 packets: a b [31m; fix: iptables -D x");
  EXPECT_EQ(all[1].text, "probe");
}

TEST_F(Log, says_which_machine_a_record_is_of) {
  Event e = event("drop", "10.89.0.2", 1, "10.89.0.3", 80);
  e.host = "me@b";
  learn(e);
  EXPECT_EQ(log.about(sought(packet())).at(0).text, "on me@b: drop");
}

TEST_F(Log, has_dropped_packets_and_knows_the_flow_of_a_frame) {
  log.learn_dropped(4, packet().flow, "NO_SOCKET");
  log.learn_dropped(5, packet().flow, nullptr);
  log.learn_dropped(6, {}, "NO_SOCKET");
  const auto all = log.about(sought(packet()));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].text, "a dropped packet, NO_SOCKET");
  EXPECT_EQ(all[1].text, "a dropped packet");
  ASSERT_NE(log.flow_of(4), nullptr);
  EXPECT_EQ(*log.flow_of(4), packet().flow);
  EXPECT_EQ(log.flow_of(3), nullptr);
  EXPECT_EQ(log.flow_of(7), nullptr);
  log.clear();
  EXPECT_EQ(log.flow_of(4), nullptr);
}

TEST_F(Log, is_limited) {
  for (std::size_t i = 0; i < EventLog::kMost + 10; ++i)
    learn(event("drop", "10.89.0.2", 1, "10.89.0.3", 80));
  EXPECT_EQ(log.about(sought(packet())).size(), EventLog::kMost);
}

std::vector<std::string> labels(const Explanation& e) {
  std::vector<std::string> out;
  for (const Action& action : e.actions) out.push_back(action.label);
  return out;
}

TEST(Explaining, says_who_is_who) {
  SelectedPacket p = packet();
  const auto out = explain(p, {});
  EXPECT_EQ(
      out.text,
      "Frame 10: tcp, 10.89.0.2:40000 → 10.89.0.3:80\n"
      "\n"
      "Client    10.89.0.2:40000  container web · image bb:1 · pod shop · network net · id 0123456789ab\n"
      "Server    10.89.0.3:80  container db · id ba9876543210\n"
      "          taken for the server because it has the lower port\n"
      "Way       nothing is known of it\n"
      "Records   this file has none about it\n");
  EXPECT_THAT(labels(out), ElementsAre("Filter on this flow", "Filter on web", "Filter on db"));
}

TEST(Explaining, knows_pods_and_strangers) {
  SelectedPacket p = packet();
  p.facts.ends.src = {.name = "shop", .id = kWebId, .pod = "shop"};
  p.facts.ends.dst = {};
  const auto out = explain(p, {});
  EXPECT_THAT(out.text, HasSubstr("  pod shop · id 0123456789ab\n"));
  EXPECT_THAT(out.text, HasSubstr("  no container that this file knows\n"));
  EXPECT_THAT(labels(out), ElementsAre("Filter on this flow", "Filter on shop"));
}

TEST(Explaining, says_which_way_it_goes) {
  SelectedPacket p = packet();
  const Translation nat{{"203.0.113.2", "192.0.2.1", 40000, 8080}, {"10.89.0.3", "10.89.0.2", 80, 40000}};
  p.facts = {{.src = {}, .dst = {.name = "db"}, .published = 8080, .nat = &nat, .probe = "7f"},
             Point::host,
             3,
             {"NETFILTER_DROP", "nft_do_chain", "FORWARD"},
             true};
  const auto out = explain(p, {});
  for (const char* part :
       {"Way       captured at the host's side", "published: port 8080 of the host leads to it",
        "translated: the client sends 203.0.113.2 port 40000 → 192.0.2.1 port 8080",
        "the server answers 10.89.0.3 port 80 → 10.89.0.2 port 40000", "sent or answered by probe 7f",
        "the same packet is frame 3",
        "the kernel dropped this packet: NETFILTER_DROP at nft_do_chain, FORWARD"})
    EXPECT_THAT(out.text, HasSubstr(part));
  EXPECT_THAT(labels(out), ElementsAre("Filter on this flow", "Filter on db", "Go to packet 3"));
  EXPECT_EQ(out.actions.back().frame, 3U);
}

TEST(Explaining, knows_the_port_forwarder) {
  SelectedPacket p = packet();
  p.flow.src = p.flow.dst;
  p.facts.ends.src = p.facts.ends.dst;
  p.facts.ends.published = 8080;
  EXPECT_THAT(explain(p, {}).text, HasSubstr("port forwarder"));
  EXPECT_THAT(labels(explain(p, {})), ElementsAre("Filter on this flow", "Filter on db"));
}

TEST(Explaining, lists_the_nearest_records_and_offers_to_go_there) {
  std::vector<Told> told{{10, "itself"}};
  for (std::uint32_t frame = 11; frame < 111; ++frame) told.push_back({frame, "drop"});
  const auto out = explain(packet(), told);
  EXPECT_THAT(out.text, HasSubstr("Records   frame 11  drop\n          frame 12  drop\n"));
  EXPECT_THAT(out.text, HasSubstr("frame 40  drop\n          and 70 more, further away\n"));
  EXPECT_THAT(out.text, Not(HasSubstr("itself")));
  EXPECT_THAT(labels(out), ElementsAre("Filter on this flow", "Filter on web", "Filter on db",
                                       "Go to packet 11", "Go to packet 12", "Go to packet 13"));
}

TEST(Explaining, is_clean_whatever_names_hold) {
  SelectedPacket p = packet();
  p.facts.ends.src.name = "a\nServer    forged\x1b[31m";
  const auto out = explain(p, {{3, "x\ny"}});
  EXPECT_THAT(out.text, Not(HasSubstr("\nServer    forged")));
  EXPECT_EQ(out.text.find('\x1b'), std::string::npos);
  EXPECT_THAT(out.text, HasSubstr("frame 3  x y\n"));
}

TEST(Explaining, says_what_is_no_packet_of_the_flow) {
  SelectedPacket p = packet();
  p.quoted = true;
  EXPECT_THAT(explain(p, {}).text, HasSubstr("Frame 10, an ICMP error about: tcp, "));
  p.quoted = false;
  p.record = true;
  EXPECT_THAT(explain(p, {}).text, HasSubstr("Frame 10, a record about: tcp, "));
}

}  // namespace
}  // namespace podshark::plugin
