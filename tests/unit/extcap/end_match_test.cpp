// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/end_match.h"

#include <gmock/gmock.h>

#include "../packets.h"
#include "extcap/capture/end_watch.h"

namespace podshark::extcap {
namespace {

using namespace podshark::packets;

constexpr std::uint64_t kMs = 1'000'000;
constexpr const char* kClient = "198.51.100.7";
constexpr const char* kHost = "203.0.113.1";
constexpr const char* kWeb = "10.88.0.2";
constexpr std::uint32_t kEth0 = 1, kUplink = 2;

IpAddress address(const char* text) {
  return *IpAddress::parse(text);
}

EndScene scene(EndScene::Entry entry) {
  EndScene out;
  out.entry = entry;
  out.own = {address(kWeb)};
  out.near = {*firewall::AddressRange::parse("10.88.0.0/16")};
  if (entry == EndScene::Entry::uplink) {
    out.host = {address(kHost)};
    out.published = {
        {.address = {}, .any_address = true, .protocol = IPPROTO_TCP, .first = 8080, .last = 8081}};
  }
  return out;
}

class Ends : public testing::Test {
 protected:
  explicit Ends(EndScene::Entry entry = EndScene::Entry::uplink) {
    match_.set_scene(scene(entry));
    match_.begin(0);
  }
  void inside(const Bytes& packet, std::uint64_t ms = 0) {
    match_.packet(End::inside, kEth0, (now_ += ms) * kMs, packet);
  }
  void host(const Bytes& packet, std::uint64_t ms = 0) {
    match_.packet(End::host, kUplink, (now_ += ms) * kMs, packet);
  }
  std::vector<OneSided> after(std::uint64_t ms) {
    std::vector<OneSided> out;
    now_ += ms;
    match_.advance(now_ * kMs, [&](OneSided&& one) { out.push_back(std::move(one)); });
    return out;
  }
  std::vector<OneSided> later() { return after(700); }
  void clock_is_set_back(std::uint64_t ms) {
    now_ -= ms;
    match_.forget_future(now_ * kMs);
  }

  static Bytes request(const Tcp& t, std::uint16_t id = 1) {
    return ip4(kClient, kHost, tcp(40000, 8080, t), {.id = id});
  }
  static Bytes request_inside(const Tcp& t, std::uint16_t id = 1) {
    return ip4(kClient, kWeb, tcp(40000, 80, t), {.id = id, .ttl = 63});
  }
  static Bytes answer_inside(const Tcp& t, std::uint16_t id = 1) {
    return ip4(kWeb, kClient, tcp(80, 40000, t), {.id = id});
  }
  static Bytes answer(const Tcp& t, std::uint16_t id = 1) {
    return ip4(kHost, kClient, tcp(8080, 40000, t), {.id = id, .ttl = 63});
  }

  EndMatch match_;
  std::uint64_t now_ = 1000;
};

TEST_F(Ends, a_request_seen_at_both_is_not_told) {
  host(request({}));
  inside(request_inside({}), 2);
  EXPECT_TRUE(later().empty());
}

TEST_F(Ends, in_whichever_order_they_are_read) {
  inside(request_inside({}));
  host(request({}));
  EXPECT_TRUE(later().empty());
}

TEST_F(Ends, a_request_that_does_not_arrive_is_told_with_its_drop) {
  const auto drop = std::make_shared<annotate::Event>();
  host(request({}));
  match_.dropped(request_inside({}), now_ * kMs, drop);
  EXPECT_TRUE(after(500).empty()) << "it may still come";
  const auto found = after(200);
  ASSERT_EQ(1U, found.size());
  EXPECT_EQ(End::host, found[0].seen);
  EXPECT_EQ(kUplink, found[0].interface);
  EXPECT_EQ(1000 * kMs, found[0].time_ns);
  EXPECT_EQ(8080, found[0].headers.dport);
  EXPECT_EQ(drop, found[0].drop);
}

TEST_F(Ends, each_of_equal_packets_counts) {
  for (int i = 0; i < 3; ++i) host(request({}));
  inside(request_inside({}));
  EXPECT_EQ(2U, later().size());
}

TEST_F(Ends, answers_are_judged_when_the_connection_is_known) {
  inside(answer_inside({.flags = kAck, .payload = "stray"}));
  EXPECT_TRUE(later().empty()) << "nobody knows through which entry it left";
  host(request({}));
  inside(request_inside({}));
  inside(answer_inside({.flags = kSyn | kAck}, 5));
  const auto found = later();
  ASSERT_EQ(1U, found.size());
  EXPECT_EQ(End::inside, found[0].seen);
  EXPECT_EQ(nullptr, found[0].drop);
}

TEST_F(Ends, a_clock_that_is_set_back_begins_anew) {
  now_ = 3'600'000;
  host(request({}));
  clock_is_set_back(3'000'000);
  host(request({}, 2), 50);
  EXPECT_TRUE(later().empty()) << "both ends have to see packets first";
  host(request({}, 3));
  EXPECT_EQ(1U, later().size());
  host(request({}, 4));
  clock_is_set_back(10);
  EXPECT_EQ(1U, later().size()) << "a clock that is only adjusted changes nothing";
}

TEST_F(Ends, answers_that_arrive_are_not_told) {
  host(request({}));
  inside(request_inside({}));
  inside(answer_inside({.flags = kSyn | kAck}, 5));
  host(answer({.flags = kSyn | kAck}, 5), 1);
  EXPECT_TRUE(later().empty());
}

TEST_F(Ends, other_ports_of_the_host_are_nobodys) {
  host(ip4(kClient, kHost, tcp(40000, 22, {})));
  host(ip4(kHost, kClient, tcp(8080, 22, {})));
  host(ip4(kClient, "203.0.113.99", tcp(40000, 8080, {})));
  EXPECT_TRUE(later().empty());
}

TEST_F(Ends, what_came_another_way_is_no_loss) {
  inside(ip4("10.88.0.3", kWeb, tcp(40000, 80, {})));
  EXPECT_TRUE(later().empty());
}

TEST_F(Ends, segments_cut_on_the_way_are_the_same_bytes) {
  host(request({}));
  inside(request_inside({}));
  const std::string payload(3000, 'x');
  inside(answer_inside({.seq = 100, .flags = kAck, .payload = payload}, 9));
  host(answer({.seq = 100, .flags = kAck, .payload = payload.substr(0, 1400)}, 9), 1);
  host(answer({.seq = 1500, .flags = kAck, .payload = payload.substr(0, 1400)}, 10));
  host(answer({.seq = 2900, .flags = kAck, .payload = payload.substr(0, 200)}, 11));
  EXPECT_TRUE(later().empty());
}

TEST_F(Ends, also_around_the_end_of_the_sequence_numbers) {
  host(request({}));
  inside(request_inside({}));
  const std::string payload(2000, 'x');
  inside(answer_inside({.seq = 0xFFFFFC18, .flags = kAck, .payload = payload}, 9));
  host(answer({.seq = 0xFFFFFC18, .flags = kAck, .payload = payload.substr(0, 1000)}, 9), 1);
  host(answer({.seq = 0, .flags = kAck, .payload = payload.substr(0, 1000)}, 10));
  EXPECT_TRUE(later().empty());
}

TEST_F(Ends, a_cut_segment_of_which_a_part_is_missing_is_told) {
  host(request({}));
  inside(request_inside({}));
  const std::string payload(3000, 'x');
  inside(answer_inside({.seq = 100, .flags = kAck, .payload = payload}, 9));
  host(answer({.seq = 100, .flags = kAck, .payload = payload.substr(0, 1400)}, 9), 1);
  host(answer({.seq = 2900, .flags = kAck, .payload = payload.substr(0, 200)}, 11));
  const auto found = later();
  ASSERT_EQ(1U, found.size());
  EXPECT_EQ(End::inside, found[0].seen);
}

TEST_F(Ends, a_rule_that_changes_the_options_of_a_syn_loses_nothing) {
  host(request({.seq = 5, .options = "\x02\x04\x05\xb4"}));
  inside(request_inside({.seq = 5, .options = "\x02\x04\x05\x00"}));
  EXPECT_TRUE(later().empty());
}

TEST_F(Ends, nothing_is_judged_before_both_were_there_or_after_one_has_gone) {
  match_.begin(2000 * kMs);
  host(request({}));
  EXPECT_TRUE(later().empty());
  now_ = 3000;
  host(request({}, 2));
  match_.interrupt();
  inside(request_inside({}));
  EXPECT_TRUE(later().empty());
  match_.begin(now_ * kMs);
  host(request({.seq = 99}, 3));
  EXPECT_EQ(1U, later().size());
}

TEST_F(Ends, too_many_are_counted) {
  for (std::size_t i = 0; i < EndMatch::kMostWaiting + 10; ++i)
    host(request({.seq = static_cast<std::uint32_t>(i)}));
  EXPECT_EQ(10U, match_.take_unjudged());
  EXPECT_EQ(0U, match_.take_unjudged());
  EXPECT_EQ(EndMatch::kMostWaiting, later().size());
}

TEST_F(Ends, with_a_filter_only_known_connections_are_judged) {
  EndScene filtered = scene(EndScene::Entry::uplink);
  filtered.filtered = true;
  match_.set_scene(filtered);
  host(request({}));
  EXPECT_TRUE(later().empty());
  host(request({}, 2));
  inside(request_inside({}, 2));
  host(request({.seq = 2}, 3));
  EXPECT_EQ(1U, later().size());
}

struct OnBridge : Ends {
  OnBridge() : Ends(EndScene::Entry::bridge) {}
};

TEST_F(OnBridge, everything_of_the_container_passes_it) {
  inside(ip4(kWeb, "10.88.0.3", udp(1, 2, "to a neighbour")));
  inside(ip4(kWeb, kClient, udp(1, 2, "to the world")));
  host(ip4("10.88.0.3", kWeb, udp(2, 1, "from a neighbour")));
  EXPECT_EQ(3U, later().size());
}

TEST_F(OnBridge, which_shows_neighbours_in_promiscuous_mode_only) {
  EndScene plain = scene(EndScene::Entry::bridge);
  plain.promiscuous = false;
  match_.set_scene(plain);
  inside(ip4(kWeb, "10.88.0.3", udp(1, 2, "to a neighbour")));
  EXPECT_TRUE(later().empty());
  inside(ip4(kWeb, kClient, udp(1, 2, "to the world")));
  EXPECT_EQ(1U, later().size());
}

TEST_F(OnBridge, datagrams_that_offload_may_cut_are_not_judged) {
  inside(ip4(kWeb, kClient, udp(1, 2, std::string(4000, 'x'))));
  EXPECT_TRUE(later().empty());
}

struct OnRootlessUplink : Ends {
  OnRootlessUplink() : Ends(EndScene::Entry::rootless_uplink) {}
};

TEST_F(OnRootlessUplink, what_leaves_all_networks_passes_it) {
  inside(ip4(kWeb, "10.88.0.3", udp(1, 2, "to a neighbour")));
  inside(ip4(kWeb, kClient, udp(1, 2, "to the world")));
  host(ip4(kClient, "10.0.2.100", udp(2, 1, "to somebody")));
  const auto found = later();
  ASSERT_EQ(1U, found.size());
  EXPECT_EQ(address(kClient), found[0].headers.dst);
}

TEST(SubnetTest, holds_its_addresses) {
  EXPECT_TRUE(firewall::AddressRange::parse("10.88.0.0/16")->contains(address("10.88.255.1")));
  EXPECT_FALSE(firewall::AddressRange::parse("10.88.0.0/16")->contains(address("10.89.0.1")));
  EXPECT_FALSE(firewall::AddressRange::parse("10.88.0.0/16")->contains(address("fd00::1")));
  EXPECT_TRUE(firewall::AddressRange::parse("10.88.0.128/25")->contains(address("10.88.0.200")));
  EXPECT_FALSE(firewall::AddressRange::parse("10.88.0.128/25")->contains(address("10.88.0.100")));
  EXPECT_TRUE(firewall::AddressRange::parse("fd00:1::/32")->contains(address("fd00:1:2::3")));
  EXPECT_TRUE(firewall::AddressRange::parse("0.0.0.0/0")->contains(address("8.8.8.8")));
  EXPECT_TRUE(firewall::AddressRange::parse("10.0.0.1")->contains(address("10.0.0.1")));
  for (const char* wrong : {"", "10.0.0.0/33", "fd00::/129", "10.0.0.0/x", "10.0.0.0/"})
    EXPECT_FALSE(firewall::AddressRange::parse(wrong)) << wrong;
}

TEST(EndScene, is_made_of_what_podman_and_the_links_tell) {
  model::Inventory inventory;
  model::Network& network = inventory.networks.emplace_back();
  network.bridge = "podman0";
  network.subnets = {"10.88.0.0/16"};
  model::Container web;
  web.kind = model::NetworkKind::bridge;
  web.networks.emplace_back().addresses = {"10.88.0.2/16"};
  model::PortMapping& port = web.ports.emplace_back();
  port.host_port = 8080;
  port.range = 3;
  model::Link eth0, lo, uplink, bridge;
  eth0.addresses = {"10.88.0.2/16", "fd00::2/64"};
  lo.flags = 8;
  lo.addresses = {"127.0.0.1/8"};
  uplink.name = "ens3";
  bridge.name = "podman0";

  EndScene s = end_scene(web, inventory, {lo, eth0}, {uplink});
  EXPECT_EQ(EndScene::Entry::uplink, s.entry);
  EXPECT_THAT(s.own, testing::UnorderedElementsAre(address("10.88.0.2"), address("fd00::2")));
  ASSERT_EQ(1U, s.published.size());
  EXPECT_EQ(8080, s.published[0].first);
  EXPECT_EQ(8082, s.published[0].last);
  EXPECT_TRUE(s.published[0].any_address);
  EXPECT_FALSE(s.filtered);

  EXPECT_EQ(EndScene::Entry::bridge, end_scene(web, inventory, {eth0}, {bridge}).entry);
  EXPECT_TRUE(end_scene(web, inventory, {lo}, {bridge}).filtered) << "eth0 is not captured";
  web.rootless = true;
  EXPECT_EQ(EndScene::Entry::rootless_uplink, end_scene(web, inventory, {eth0}, {uplink}).entry);
  web.rootless = false;
  web.kind = model::NetworkKind::macvlan;
  EXPECT_EQ(EndScene::Entry::parent, end_scene(web, inventory, {eth0}, {uplink}).entry);
}

}  // namespace
}  // namespace podshark::extcap
