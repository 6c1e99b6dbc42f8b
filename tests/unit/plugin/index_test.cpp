// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/index.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <string>
#include <vector>

#include "podman/annotate/codec.h"
#include "podman/core/text.h"

namespace podshark::plugin {
namespace {

using model::Container;
using model::Inventory;
using model::NetworkKind;

constexpr std::uint64_t kEvents = interface_key(0, 0);
constexpr std::uint64_t kEth = interface_key(0, 1);
constexpr std::uint64_t kNoInterface = UINT64_MAX;

Address ip(const std::string& text) {
  unsigned char bytes[16] = {};
  if (::inet_pton(AF_INET, text.c_str(), bytes) == 1) return {bytes, 4};
  EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), bytes), 1) << text;
  return {bytes, 16};
}

Flow flow(const Address& src, const Address& dst = {}) {
  Flow out;
  out.src = src;
  out.dst = dst;
  return out;
}

Flow tcp(const std::string& src, std::uint16_t src_port, const std::string& dst, std::uint16_t dst_port) {
  Flow out = flow(ip(src), ip(dst));
  out.src_port = src_port;
  out.dst_port = dst_port;
  out.protocol = IPPROTO_TCP;
  return out;
}

std::string id_of(const std::string& name) {
  std::string id;
  for (const char c : name) id += "0123456789abcdef"[static_cast<unsigned char>(c) % 16];
  id.resize(64, '0');
  return id;
}

Container container(const std::string& name, const std::vector<std::string>& addresses,
                    NetworkKind kind = NetworkKind::bridge) {
  Container c;
  c.id = id_of(name);
  c.name = name;
  c.pid = 100;
  c.rootless = true;
  c.owner = 1000;
  c.kind = kind;
  if (!addresses.empty()) c.networks.push_back({"net", "eth0", "", addresses, ""});
  return c;
}

Inventory inventory(std::vector<Container> containers, std::vector<model::Pod> pods = {}) {
  Inventory out;
  out.containers = std::move(containers);
  out.pods = std::move(pods);
  return out;
}

class PluginIndex : public ::testing::Test {
 protected:
  void learn(std::uint32_t frame, const Inventory& inventory) {
    index_.learn(frame, kEvents, annotate::encode_inventory(inventory));
  }
  void interface(std::uint64_t key, const std::string& name, const std::string& description = "") {
    index_.set_interface(key, name.c_str(), description.c_str());
  }
  std::string src(const std::string& address, std::uint32_t frame = 100, std::uint64_t key = kNoInterface) {
    const char* name = index_.ends(frame, key, flow(ip(address))).src.name;
    return name == nullptr ? "" : name;
  }
  Index index_;
};

TEST_F(PluginIndex, both_ends_are_named_by_address) {
  learn(1, inventory({container("web", {"10.89.0.2/24", "fd00::2/64"}), container("db", {"10.89.0.3"})}));
  const Ends names = index_.ends(2, kNoInterface, flow(ip("10.89.0.2"), ip("10.89.0.3")));
  EXPECT_STREQ(names.src.name, "web");
  EXPECT_STREQ(names.dst.name, "db");
  EXPECT_EQ(src("fd00::2"), "web");
  EXPECT_EQ(src("10.89.0.4"), "");
}

TEST_F(PluginIndex, a_name_counts_from_its_inventory_to_the_next) {
  learn(5, inventory({container("web", {"10.89.0.2"})}));
  learn(10, inventory({container("db", {"10.89.0.2"})}));
  learn(20, inventory({}));
  EXPECT_EQ(src("10.89.0.2", 1), "web");  // before the first inventory the first counts
  EXPECT_EQ(src("10.89.0.2", 20), "");
  EXPECT_EQ(src("10.89.0.2", 9), "web");
  EXPECT_EQ(src("10.89.0.2", 10), "db");
  EXPECT_EQ(src("10.89.0.2", 19), "db");
}

TEST_F(PluginIndex, the_interface_tells_containers_with_the_same_address_apart) {
  learn(1, inventory({container("one", {"10.0.2.100/24"}, NetworkKind::slirp4netns),
                      container("two", {"10.0.2.100/24"}, NetworkKind::slirp4netns)}));
  interface(kEth, "podman:one/tap0", "container=one id=" + id_of("one").substr(0, 12));
  interface(kEth + 1, "podman:two/tap0");
  EXPECT_EQ(src("10.0.2.100", 2, kEth), "one");
  EXPECT_EQ(src("10.0.2.100", 2, kEth + 1), "two");
  EXPECT_EQ(src("10.0.2.100", 2), "");
}

TEST_F(PluginIndex, an_address_of_pasta_is_the_container_only_on_its_own_interface) {
  learn(1, inventory({container("web", {"192.0.2.7/24"}, NetworkKind::pasta), container("db", {"10.89.0.3"}),
                      container("all", {}, NetworkKind::host)}));
  interface(kEth, "podman:web/eth0");
  interface(kEth + 1, "podman:db/eth0");
  EXPECT_EQ(src("192.0.2.7", 2, kEth), "web");
  EXPECT_EQ(src("192.0.2.7", 2, kEth + 1), "");
  EXPECT_EQ(src("192.0.2.7", 2), "");
}

TEST_F(PluginIndex, loopback_is_the_container_of_the_interface_and_nobody_elsewhere) {
  learn(1, inventory({container("web", {"10.89.0.2", "127.0.0.1"})}));
  interface(kEth, "podman:web/lo");
  EXPECT_EQ(src("127.0.0.1", 2, kEth), "web");
  EXPECT_EQ(src("127.8.9.1", 2, kEth), "web");
  EXPECT_EQ(src("::1", 2, kEth), "web");
  EXPECT_EQ(src("127.0.0.1", 2), "");
}

TEST_F(PluginIndex, pod_members_are_called_by_the_interface_and_else_by_their_pod) {
  Container infra = container("ab-infra", {"10.89.0.9"});
  infra.infra = true;
  infra.pod_id = "p1";
  Container front = container("front", {}, NetworkKind::shared);
  front.shares_with = infra.id;
  front.pod_id = "p1";
  model::Pod pod{"p1", "shop", "running", infra.id, {infra.id, front.id}};
  learn(1, inventory({front, infra, container("web", {"10.89.0.2"})}, {pod}));
  const std::string about = "container=ab-infra id=" + infra.id.substr(0, 12);
  interface(kEth, "podman:front/eth0", about);
  interface(kEth + 1, "podman:pod/shop/eth0", about);
  interface(kEth + 2, "podman:web/eth0");
  EXPECT_EQ(src("10.89.0.9", 2, kEth), "front");
  EXPECT_EQ(src("10.89.0.9", 2, kEth + 1), "shop");
  EXPECT_EQ(src("10.89.0.9", 2, kEth + 2), "shop");
  EXPECT_EQ(src("10.89.0.2", 2, kEth), "web");
}

TEST_F(PluginIndex, containers_of_one_namespace_do_not_make_its_address_ambiguous) {
  Container web = container("web", {"10.89.0.2"});
  Container probe = container("probe", {"10.89.0.2"}, NetworkKind::unknown);  // as the /proc scan shows it
  web.netns = probe.netns = 4026532999;
  Container sidecar = container("sidecar", {}, NetworkKind::shared);
  sidecar.shares_with = web.id;
  learn(1, inventory({sidecar, web, probe}));
  EXPECT_EQ(src("10.89.0.2"), "web");
}

TEST_F(PluginIndex, a_stopped_container_owns_nothing) {
  Container old = container("old", {"10.89.0.2"});
  old.pid = 0;
  learn(1, inventory({old, container("web", {"10.89.0.2"})}));
  EXPECT_EQ(src("10.89.0.2"), "web");
}

TEST_F(PluginIndex, an_address_two_users_have_means_the_neighbour) {
  Container mine = container("mine", {"10.89.0.2"});
  Container rootful = container("rootful", {"10.89.0.2"});
  rootful.rootless = false;
  rootful.owner = 0;
  Container foreign = container("foreign", {"10.89.0.5"});
  foreign.owner = 1001;
  learn(1, inventory({mine, rootful, foreign, container("web", {"10.89.0.3"})}));
  interface(kEth, "podman:web/eth0");
  EXPECT_EQ(src("10.89.0.2", 2, kEth), "mine");
  EXPECT_EQ(src("10.89.0.5", 2, kEth), "");  // another user's bridge is out of reach
  EXPECT_EQ(src("10.89.0.2", 2), "");
}

Container on(const std::string& host, Container c) {
  c.host = host;
  return c;
}

TEST_F(PluginIndex, an_address_of_two_hosts_means_the_container_on_the_interfaces_host) {
  learn(1,
        inventory({on("me@a:2222", container("web", {"10.89.0.2"})),
                   on("me@a:2222", container("db", {"10.89.0.3"})), on("b", container("shop", {"10.89.0.2"})),
                   on("b", container("cache", {"10.89.0.3"})), container("here", {"10.89.0.2"})}));
  const auto described = [](const std::string& name) {
    return "container=" + name + " id=" + id_of(name).substr(0, 12);
  };
  interface(1, "podman@me@a:2222:web/eth0", described("web") + " point=inside host=me@a:2222");
  interface(2, "podman@b:shop/eth0", described("shop") + " point=inside host=b clock=+0.2");
  interface(3, "podman:here/eth0", described("here") + " point=inside");
  EXPECT_EQ("web", src("10.89.0.2", 5, 1));
  EXPECT_EQ("db", src("10.89.0.3", 5, 1));
  EXPECT_EQ("shop", src("10.89.0.2", 5, 2));
  EXPECT_EQ("cache", src("10.89.0.3", 5, 2));
  EXPECT_EQ("here", src("10.89.0.2", 5, 3));
  EXPECT_EQ("", src("10.89.0.3", 5, 3)) << "two of other hosts";
  EXPECT_EQ("", src("10.89.0.2")) << "seen from nowhere";
  EXPECT_STREQ("me@a:2222", index_.host(1));
  EXPECT_EQ(nullptr, index_.host(3));
}

TEST_F(PluginIndex, one_of_another_host_is_meant_where_nobody_else_can_be) {
  Container far = on("b", container("far", {"192.0.2.7"}, NetworkKind::macvlan));
  far.rootless = false;
  learn(1, inventory({container("here", {"10.89.0.2"}), far}));
  interface(1, "podman:here/eth0", "container=here point=inside");
  EXPECT_EQ("far", src("192.0.2.7", 5, 1));
}

TEST_F(PluginIndex, equal_inodes_of_two_hosts_are_two_namespaces) {
  Container a = on("a", container("web", {"10.89.0.2"}));
  Container b = on("b", container("db", {"10.89.0.3"}));
  a.netns = b.netns = 4026532001;
  learn(1, inventory({a, b}));
  EXPECT_EQ("web", src("10.89.0.2"));
  EXPECT_EQ("db", src("10.89.0.3"));
}

TEST_F(PluginIndex, one_machine_under_two_names_has_its_containers_once) {
  learn(1, inventory({on("a", container("web", {"10.89.0.2"}))}));
  interface(2, "podman@b:web/eth0",
            "container=web id=" + id_of("web").substr(0, 12) + " point=inside host=b");
  EXPECT_EQ("web", src("10.89.0.2", 5, 2));
  EXPECT_EQ("web", src("127.0.0.1", 5, 2));
}

TEST_F(PluginIndex, equal_names_of_user_and_root_are_told_apart_by_id) {
  Container own = container("web", {"10.89.0.2"}, NetworkKind::slirp4netns);
  Container root = container("web", {"10.88.0.2"});
  root.id = std::string(64, 'f');
  root.rootless = false;
  learn(1, inventory({own, root}));
  interface(kEth, "podman-root:web/eth0", "container=web id=ffffffffffff");
  interface(kEth + 1, "podman:web/tap0", "container=web id=" + own.id.substr(0, 12));
  interface(kEth + 2, "podman-root:web/eth0");
  EXPECT_EQ(src("127.0.0.1", 2, kEth), "web");
  EXPECT_EQ(src("10.89.0.2", 2, kEth), "");
  EXPECT_EQ(src("10.89.0.2", 2, kEth + 1), "web");
  EXPECT_EQ(src("127.0.0.1", 2, kEth + 2), "web");
}

TEST_F(PluginIndex, a_pod_of_kubernetes_has_the_name_of_its_address_and_of_its_loopback) {
  Container pod = container("shop", {"10.244.0.7"});
  pod.pid = 0;
  pod.state = "running";
  pod.infra = true;
  pod.rootless = false;
  pod.kind = NetworkKind::unknown;
  pod.kubernetes = {"store", "shop", ""};
  Container web = pod;
  web.name = "web";
  web.id = std::string(64, 'e');
  web.infra = false;
  web.networks.clear();
  web.shares_with = pod.id;
  web.kubernetes.container = "web";
  learn(1, inventory({pod, web}));
  interface(kEth, "kube:store/shop/any",
            "container=web id=eeeeeeeeeeee pod=shop namespace=store point=inside");
  EXPECT_EQ(src("10.244.0.7", 2, kEth), "shop");
  EXPECT_EQ(src("127.0.0.1", 2, kEth), "shop");
}

TEST_F(PluginIndex, a_cut_interface_name_still_finds_its_container) {
  const std::string name(90, 'x');
  const std::string cut = "podman:" + name.substr(0, 40) + "~" + hex(fnv1a(name), 6) + "/eth0";
  learn(1, inventory({container(name, {"10.0.2.100"}, NetworkKind::slirp4netns)}));
  interface(kEth, cut);
  EXPECT_EQ(src("10.0.2.100", 2, kEth), name);
}

TEST_F(PluginIndex, an_inventory_in_parts_counts_with_its_last_part) {
  std::vector<Container> many;
  for (int i = 0; i < 600; ++i) {
    many.push_back(container("c" + std::to_string(i),
                             {"10.89." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1)}));
    many.back().labels["note"] = std::string(1000, 'n');
    many.back().id = std::string(60, 'a') + std::to_string(1000 + i);
  }
  const std::vector<std::string> parts = annotate::encode_inventory_parts(inventory(many));
  ASSERT_GE(parts.size(), 3U);
  std::uint32_t frame = 1;
  for (const std::string& part : parts) {
    EXPECT_TRUE(index_.empty());
    index_.learn(frame++, kEvents, part);
    index_.learn(frame++, kEth, parts.back());  // another capture's stray part changes nothing
  }
  EXPECT_EQ(src("10.89.0.1", frame), "c0");
  EXPECT_EQ(src("10.89.2.100", frame), "c599");
}

TEST_F(PluginIndex, with_a_part_missing_the_inventory_before_stays) {
  learn(1, inventory({container("web", {"10.89.0.2"})}));
  index_.learn(2, kEvents, R"({"podshark":1,"kind":"inventory","part":1,"parts":3,"containers":[]})");
  index_.learn(3, kEvents, R"({"podshark":1,"kind":"inventory","part":3,"parts":3,"containers":[]})");
  EXPECT_EQ(src("10.89.0.2", 9), "web");
}

TEST_F(PluginIndex, hostile_records_name_nothing) {
  const std::vector<std::string> records = {
      "",
      "{",
      "[]",
      "null",
      "{\"podshark\":1,\"kind\":\"inventory\",\"containers\":7}",
      R"({"podshark":1,"kind":"inventory","containers":[{"id":"a","name":7,"pid":1}]})",
      R"({"podshark":2,"kind":"inventory","containers":[]})",
      R"({"podshark":1,"kind":"lifecycle"})",
      std::string(100000, '[')};
  for (const std::string& record : records) index_.learn(1, kEvents, record);
  EXPECT_TRUE(index_.empty());
}

TEST_F(PluginIndex, addresses_nobody_can_own_are_not_claimed) {
  learn(1, inventory({container("liar", {"0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "ff02::1", "::1",
                                         "127.0.0.1", "nonsense", "10.0.0.1.2", ""})}));
  EXPECT_FALSE(index_.empty());
  for (const char* address : {"0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "ff02::1", "::1", "127.0.0.1"})
    EXPECT_EQ(src(address), "") << address;
}

TEST_F(PluginIndex, names_are_cut_and_cleaned) {
  learn(1, inventory({container(std::string(100000, 'x'), {"10.89.0.2"}),
                      container("bad\n\x1b[31mname", {"10.89.0.3"})}));
  EXPECT_LE(src("10.89.0.2").size(), NamePool::kMaxName);
  EXPECT_EQ(src("10.89.0.3").find_first_of("\n\x1b"), std::string::npos);
}

TEST_F(PluginIndex, mac_addresses_name_frames_without_ip) {
  Container web = container("web", {"10.89.0.2"});
  web.networks[0].mac = "02:42:0a:59:00:02";
  learn(1, inventory({web}));
  const unsigned char mac[] = {0x02, 0x42, 0x0a, 0x59, 0x00, 0x02};
  EXPECT_STREQ(index_.ends(2, kNoInterface, flow(Address(mac, 6))).src.name, "web");
}

TEST_F(PluginIndex, a_restarted_container_is_found_again_on_its_interface) {
  interface(kEth, "podman:web/eth0", "container=web id=" + id_of("web").substr(0, 12));
  learn(1, inventory({container("web", {"10.0.2.100"}, NetworkKind::slirp4netns)}));
  EXPECT_EQ(src("10.0.2.100", 2, kEth), "web");
  learn(3, inventory({}));
  EXPECT_EQ(src("10.0.2.100", 4, kEth), "");
  learn(5, inventory({container("web", {"10.0.2.100"}, NetworkKind::slirp4netns)}));
  EXPECT_EQ(src("10.0.2.100", 6, kEth), "web");
  EXPECT_EQ(src("10.0.2.100", 4, kEth), "");
}

TEST_F(PluginIndex, interfaces_of_ours_tell_their_point) {
  EXPECT_FALSE(index_.may_repeat());
  interface(kEth, "podman:web/eth0", "container=web mode=bridge point=inside rootless=yes");
  EXPECT_EQ(index_.point(kEth), Point::inside);
  EXPECT_FALSE(index_.may_repeat());
  const std::uint64_t host = interface_key(0, 2);
  interface(host, "podman-root:web/podman0@host", "container=web point=host");
  EXPECT_EQ(index_.point(host), Point::host);
  EXPECT_TRUE(index_.may_repeat());
  index_.clear();
  EXPECT_FALSE(index_.may_repeat());
  EXPECT_EQ(index_.point(host), Point::unknown);
}

TEST_F(PluginIndex, a_point_is_a_word_of_its_own_on_an_interface_of_ours) {
  interface(kEth, "eth0", "point=host");
  EXPECT_EQ(index_.point(kEth), Point::unknown);
  for (const char* description : {"", "container=point=host", "point=hostile", "point="}) {
    interface(kEth, "podman:web/eth0", description);
    EXPECT_EQ(index_.point(kEth), Point::unknown) << description;
  }
  EXPECT_FALSE(index_.may_repeat());
}

TEST_F(PluginIndex, another_file_starts_from_nothing) {
  learn(1, inventory({container("web", {"10.89.0.2"})}));
  interface(kEth, "podman:web/eth0");
  EXPECT_EQ(src("10.89.0.2", 2, kEth), "web");
  index_.clear();
  EXPECT_TRUE(index_.empty());
  EXPECT_FALSE(index_.knows_interface(kEth));
  EXPECT_EQ(src("10.89.0.2", 2, kEth), "");
}

TEST_F(PluginIndex, published_ports_belong_to_their_container) {
  Container web = container("web", {"10.89.0.2"});
  web.ports = {{"", 8080, 80, 1, "tcp"}, {"", 9000, 7000, 10, "udp"}};
  learn(1, inventory({web, container("db", {"10.89.0.3"})}));
  EXPECT_EQ(index_.ends(2, kNoInterface, tcp("198.51.100.7", 40000, "10.89.0.2", 80)).published, 8080);
  EXPECT_EQ(index_.ends(2, kNoInterface, tcp("10.89.0.2", 80, "198.51.100.7", 40000)).published, 8080);
  EXPECT_EQ(index_.ends(2, kNoInterface, tcp("198.51.100.7", 40000, "10.89.0.3", 80)).published, 0);
  EXPECT_EQ(index_.ends(2, kNoInterface, tcp("198.51.100.7", 40000, "10.89.0.2", 7001)).published, 0);
  Flow udp = tcp("198.51.100.7", 40000, "10.89.0.2", 7009);
  udp.protocol = IPPROTO_UDP;
  EXPECT_EQ(index_.ends(2, kNoInterface, udp).published, 9009);
}

// Of a client's connection to a published port.
annotate::Event translation() {
  annotate::Event e;
  e.kind = "nat";
  e.what = "started";
  e.protocol = "tcp";
  e.orig = {"198.51.100.7", "192.0.2.1", 40000, 8080};
  e.reply = {"10.89.0.2", "198.51.100.7", 80, 40000};
  return e;
}

TEST_F(PluginIndex, a_translation_counts_from_its_record_on_and_the_first_before_it_too) {
  annotate::Event e = translation();
  index_.learn(10, kEvents, annotate::encode_event(e));
  e.reply.src = "10.89.0.9";
  index_.learn(20, kEvents, annotate::encode_event(e));
  const auto reply_src = [&](std::uint32_t frame, const Flow& flow) -> std::string {
    const Translation* t = index_.ends(frame, kNoInterface, flow).nat;
    return t == nullptr ? "" : t->reply.src;
  };
  const Flow outer = tcp("198.51.100.7", 40000, "192.0.2.1", 8080);
  EXPECT_EQ(reply_src(5, outer), "10.89.0.2");
  EXPECT_EQ(reply_src(15, outer), "10.89.0.2");
  EXPECT_EQ(reply_src(20, outer), "10.89.0.9");
  EXPECT_EQ(reply_src(25, outer.reversed()), "10.89.0.9");
  EXPECT_EQ(reply_src(15, tcp("10.89.0.2", 80, "198.51.100.7", 40000)), "10.89.0.2");
  EXPECT_EQ(reply_src(15, tcp("10.89.0.2", 81, "198.51.100.7", 40000)), "");
}

TEST_F(PluginIndex, the_other_leg_is_the_nearest_packet_of_the_same_direction) {
  const Flow outer = tcp("198.51.100.7", 40000, "192.0.2.1", 8080);
  const Flow inner = tcp("198.51.100.7", 40000, "10.89.0.2", 80);
  index_.learn_flow(3, kNoInterface, outer);  // the record comes after the first packets
  index_.learn_flow(4, kNoInterface, inner);
  annotate::Event e = translation();
  index_.learn(5, kEvents, annotate::encode_event(e));
  index_.learn_flow(6, kNoInterface, inner.reversed());
  index_.learn_flow(7, kNoInterface, outer.reversed());
  index_.learn_flow(20, kNoInterface, tcp("198.51.100.7", 40001, "10.89.0.2", 80));
  index_.learn_flow(30, kNoInterface, outer);
  e.what = "ended";
  index_.learn(40, kEvents, annotate::encode_event(e));
  EXPECT_EQ(index_.other_leg(3, kNoInterface, outer), 4U);
  EXPECT_EQ(index_.other_leg(4, kNoInterface, inner), 3U);
  EXPECT_EQ(index_.other_leg(6, kNoInterface, inner.reversed()), 7U);
  EXPECT_EQ(index_.other_leg(7, kNoInterface, outer.reversed()), 6U);
  EXPECT_EQ(index_.other_leg(30, kNoInterface, outer), 4U);
  EXPECT_EQ(index_.other_leg(29, kNoInterface, inner), 30U);
  EXPECT_EQ(index_.other_leg(20, kNoInterface, tcp("198.51.100.7", 40001, "10.89.0.2", 80)), 0U)
      << "no record tells of it";
}

TEST_F(PluginIndex, of_a_long_connection_one_of_the_nearest_of_the_other_leg_is_found) {
  index_.learn(1, kEvents, annotate::encode_event(translation()));
  const Flow outer = tcp("198.51.100.7", 40000, "192.0.2.1", 8080);
  const Flow inner = tcp("198.51.100.7", 40000, "10.89.0.2", 80);
  for (std::uint32_t frame = 2; frame < 100'002; frame += 2) {
    index_.learn_flow(frame, kNoInterface, outer);
    index_.learn_flow(frame + 1, kNoInterface, inner);
  }
  EXPECT_EQ(index_.other_leg(2, kNoInterface, outer), 3U);
  const std::uint32_t near = index_.other_leg(50'000, kNoInterface, outer);
  EXPECT_EQ(near % 2, 1U) << "of the other leg";
  EXPECT_NEAR(near, 50'000, 600);
}

TEST_F(PluginIndex, a_leg_that_the_file_lacks_is_none) {
  index_.learn(1, kEvents, annotate::encode_event(translation()));
  const Flow inner = tcp("198.51.100.7", 40000, "10.89.0.2", 80);
  for (std::uint32_t frame = 2; frame < 5000; ++frame) index_.learn_flow(frame, kNoInterface, inner);
  EXPECT_EQ(index_.other_leg(3, kNoInterface, inner), 0U);
  index_.learn_flow(5000, kNoInterface, tcp("192.0.2.1", 8080, "198.51.100.7", 40000));
  EXPECT_EQ(index_.other_leg(3, kNoInterface, inner), 5000U)
      << "in the other direction, where the same one lacks";
}

TEST_F(PluginIndex, a_probes_packets_bear_its_id_on_both_sides_of_a_translation) {
  annotate::Event e;
  e.kind = "probe";
  e.what = "started";
  e.id = "p1";
  e.protocol = "tcp";
  e.orig = {"192.0.2.1", "192.0.2.1", 40000, 8080};
  e.reply = {"10.89.0.2", "10.89.0.1", 80, 40000};
  index_.learn(10, kEvents, annotate::encode_event(e));
  const auto probe = [&](std::uint32_t frame, const Flow& flow) -> std::string {
    const char* id = index_.ends(frame, kNoInterface, flow).probe;
    return id == nullptr ? "" : id;
  };
  EXPECT_EQ(probe(11, tcp("192.0.2.1", 40000, "192.0.2.1", 8080)), "p1");
  EXPECT_EQ(probe(11, tcp("10.89.0.1", 40000, "10.89.0.2", 80)), "p1");
  EXPECT_EQ(probe(11, tcp("10.89.0.1", 40001, "10.89.0.2", 80)), "");
}

TEST_F(PluginIndex, pings_after_a_probe_are_not_the_probes) {
  annotate::Event e;
  e.kind = "probe";
  e.what = "started";
  e.id = "p1";
  e.protocol = "icmp";
  e.orig = {"10.89.0.3", "10.89.0.2", 0, 0};
  index_.learn(10, kEvents, annotate::encode_event(e));
  e.what = "ended";
  index_.learn(13, kEvents, annotate::encode_event(e));
  const Flow ping = flow(ip("10.89.0.3"), ip("10.89.0.2"));
  EXPECT_STREQ(index_.ends(12, kNoInterface, ping.reversed()).probe, "p1");
  EXPECT_EQ(index_.ends(14, kNoInterface, ping).probe, nullptr);
}

// Both machines have these addresses.
TEST_F(PluginIndex, pings_of_another_machine_are_not_those_that_a_record_tells_of) {
  interface(1, "podman@a_b:web/eth0", "point=inside host=a_b");
  interface(2, "podman@b:shop/eth0", "point=inside host=b");
  annotate::Event e;
  e.kind = "probe";
  e.what = "started";
  e.id = "p1";
  e.protocol = "icmp";
  e.host = "a b";
  e.orig = {"10.88.0.3", "10.88.0.2", 0, 0};
  index_.learn(10, kEvents, annotate::encode_event(e));
  e.kind = "nat";
  e.reply = {"10.88.0.2", "10.88.0.9", 0, 0};
  index_.learn(11, kEvents, annotate::encode_event(e));
  const Flow ping = flow(ip("10.88.0.3"), ip("10.88.0.2"));
  EXPECT_STREQ(index_.ends(12, 1, ping).probe, "p1");
  EXPECT_NE(index_.ends(12, 1, ping).nat, nullptr);
  for (const std::uint64_t other : {std::uint64_t{2}, kNoInterface}) {
    EXPECT_EQ(index_.ends(12, other, ping).probe, nullptr);
    EXPECT_EQ(index_.ends(12, other, ping).nat, nullptr);
    EXPECT_EQ(index_.heading(12, other, ping), Heading::unknown);
  }
}

// It leaves a, translated, and is translated again where it arrives.
TEST_F(PluginIndex, a_connection_between_machines_has_the_translation_of_the_one_that_captured_it) {
  interface(1, "podman@a:web/eth0", "point=host host=a");
  interface(2, "podman@b:shop/eth0", "point=inside host=b");
  annotate::Event e = translation();  // 198.51.100.7 → 192.0.2.1:8080, to 10.89.0.2:80
  e.host = "b";
  index_.learn(10, kEvents, annotate::encode_event(e));
  const Flow between = tcp("198.51.100.7", 40000, "192.0.2.1", 8080);
  ASSERT_NE(index_.ends(12, 1, between).nat, nullptr) << "that a has none";
  ASSERT_NE(index_.ends(12, kNoInterface, between).nat, nullptr);
  e.host = "a";
  e.orig = {"10.89.0.7", "192.0.2.1", 40000, 8080};
  e.reply = {"192.0.2.1", "198.51.100.7", 8080, 40000};
  index_.learn(11, kEvents, annotate::encode_event(e));
  EXPECT_STREQ(index_.ends(12, 1, between).nat->orig.src, "10.89.0.7");
  EXPECT_STREQ(index_.ends(12, 2, between).nat->orig.src, "198.51.100.7");
}

TEST_F(PluginIndex, an_inventory_of_too_many_containers_is_none) {
  Inventory many = inventory({container("web", {"10.89.0.2"})});
  while (many.containers.size() < Snapshot::kMostContainers) {
    many.containers.push_back({});
    many.containers.back().id = std::to_string(many.containers.size());
  }
  learn(1, many);
  EXPECT_EQ(src("10.89.0.2"), "web");
  index_.clear();
  many.containers.push_back({});
  learn(1, many);
  EXPECT_TRUE(index_.empty());
  Inventory part = inventory(std::vector<Container>(Snapshot::kMostContainers / 2 + 1, container("web", {})));
  for (const char* number : {"1", "2"}) {
    std::string json = annotate::encode_inventory(part);
    json.insert(1, std::string("\"part\":") + number + ",\"parts\":2,");
    index_.learn(2, kEvents, json);
  }
  EXPECT_TRUE(index_.empty()) << "over all parts";
}

TEST_F(PluginIndex, an_address_that_very_many_have_is_named_on_their_own_interfaces_only) {
  const auto sharing = [](std::size_t count) {
    std::vector<Container> out;
    for (std::size_t i = 0; i < count; ++i) {
      out.push_back(container("c" + std::to_string(i), {"10.89.0.2"}));
      out.back().id = std::string(3, 'c') + hex(i, 6) + std::string(55, '0');
      out.back().owner = static_cast<uid_t>(1000 + i);
    }
    return inventory(out);
  };
  for (const bool more : {false, true}) {
    index_.clear();
    interface(1, "podman:c7/eth0", "point=inside");
    interface(2, "podman:guest/eth0", "point=inside");
    Inventory all = sharing(Snapshot::kMostClaims + (more ? 1 : 0));
    all.containers.push_back(container("guest", {"10.89.0.3"}));
    all.containers.back().owner = 1008;  // c8's
    learn(1, all);
    EXPECT_EQ(src("10.89.0.2", 2, 1), "c7");
    EXPECT_EQ(src("10.89.0.2", 2, 2), more ? "" : "c8");
  }
}

TEST_F(PluginIndex, dns_answers_count_only_without_an_inventory) {
  // aardvark's answer: db.dns.podman is 10.89.0.3
  const std::string answer(
      "\0\7\x81\x80\0\1\0\1\0\0\0\0"
      "\2db\3dns\6podman\0\0\1\0\1"
      "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\x59\0\3",
      47);
  for (std::size_t n = 0; n < answer.size(); ++n)
    index_.learn_dns(1, reinterpret_cast<const std::uint8_t*>(answer.data()), n);
  EXPECT_EQ(src("10.89.0.3", 5), "");
  index_.learn_dns(2, reinterpret_cast<const std::uint8_t*>(answer.data()), answer.size());
  EXPECT_EQ(src("10.89.0.3", 5), "db");
  learn(6, inventory({container("web", {"10.89.0.2"})}));
  EXPECT_EQ(src("10.89.0.3", 7), "");
}

TEST_F(PluginIndex, names_for_resolution_are_joint_where_an_address_had_several_owners) {
  learn(1, inventory({container("web", {"10.89.0.2"}),
                      container("tap", {"10.0.2.100"}, NetworkKind::slirp4netns)}));
  ASSERT_EQ(index_.resolved().size(), 1U);
  EXPECT_EQ(index_.resolved()[0].name, "web");
  index_.forget_resolved();
  learn(2, inventory({container("job", {"10.89.0.2"})}));
  ASSERT_EQ(index_.resolved().size(), 1U);
  EXPECT_EQ(index_.resolved()[0].name, "web|job");
}

TEST_F(PluginIndex, a_name_is_one_containers_alone_or_not) {
  Container rootful = container("web", {"10.88.0.2"});
  rootful.id = std::string(64, 'f');
  Container stopped = container("db", {});
  stopped.pid = 0;
  stopped.id = std::string(64, 'e');
  learn(1, inventory({container("web", {"10.89.0.2"}), container("db", {"10.89.0.3"}), stopped}));
  learn(5, inventory({container("web", {"10.89.0.2"}), rootful}));
  EXPECT_TRUE(index_.sole(4, "web"));
  EXPECT_TRUE(index_.sole(4, "db"));
  EXPECT_FALSE(index_.sole(5, "web"));
  EXPECT_FALSE(index_.sole(5, "db"));
  EXPECT_FALSE(index_.sole(5, nullptr));
}

TEST_F(PluginIndex, the_serving_end_is_the_one_that_publishes_its_port) {
  Container web = container("web", {"10.89.0.2"});
  web.ports.push_back({"", 8080, 80, 1, "tcp"});
  EXPECT_FALSE(index_.serving(2, kNoInterface, tcp("10.89.0.2", 80, "192.0.2.1", 80)).src);
  learn(1, inventory({web, container("db", {"10.89.0.3"})}));
  const Serving from = index_.serving(2, kNoInterface, tcp("10.89.0.2", 80, "10.89.0.3", 80));
  EXPECT_TRUE(from.src);
  EXPECT_FALSE(from.dst);
  EXPECT_TRUE(index_.serving(2, kNoInterface, tcp("10.89.0.3", 80, "10.89.0.2", 80)).dst);
  EXPECT_FALSE(index_.serving(2, kNoInterface, tcp("10.89.0.3", 80, "10.89.0.2", 8080)).dst);
  interface(kEth, "podman:web/veth0@host", "container=web point=host");
  EXPECT_TRUE(index_.serving(2, kEth, tcp("192.0.2.9", 80, "192.0.2.1", 8080)).dst);
}

TEST_F(PluginIndex, records_tell_who_began) {
  annotate::Event nat;
  nat.kind = "nat";
  nat.protocol = "tcp";
  nat.orig = {"203.0.113.2", "192.0.2.1", 40000, 8080};
  nat.reply = {"10.89.0.2", "203.0.113.2", 80, 40000};
  index_.learn(1, kEvents, annotate::encode_event(nat));
  EXPECT_EQ(index_.heading(2, kNoInterface, tcp("203.0.113.2", 40000, "192.0.2.1", 8080)), Heading::forth);
  EXPECT_EQ(index_.heading(2, kNoInterface, tcp("203.0.113.2", 40000, "10.89.0.2", 80)), Heading::forth);
  EXPECT_EQ(index_.heading(2, kNoInterface, tcp("10.89.0.2", 80, "203.0.113.2", 40000)), Heading::back);
  EXPECT_EQ(index_.heading(2, kNoInterface, tcp("192.0.2.1", 8080, "203.0.113.2", 40000)), Heading::back);
  EXPECT_EQ(index_.heading(2, kNoInterface, tcp("10.89.0.2", 80, "203.0.113.2", 40001)), Heading::unknown);
  ASSERT_NE(index_.events().flow_of(1), nullptr);
  index_.clear();
  EXPECT_EQ(index_.events().flow_of(1), nullptr);
  EXPECT_EQ(index_.events().host_of(1), nullptr);
  nat.host = "me@a b";
  index_.learn(9, kEvents, annotate::encode_event(nat));
  EXPECT_STREQ(index_.events().host_of(9), "me@a_b") << "as interfaces have it";
}

TEST_F(PluginIndex, a_dropped_packet_is_the_one_that_was_captured_before) {
  const std::uint8_t packet[64] = {0x45, 0, 0, 64, 1, 2};
  annotate::Event watching;
  watching.kind = "lifecycle";
  watching.what = "watching-drops";
  EXPECT_FALSE(index_.may_repeat());
  index_.learn(1, kEvents, annotate::encode_event(watching));
  EXPECT_TRUE(index_.may_repeat());
  index_.set_interface(7, "podman:web/eth0", "container=web point=inside");
  index_.learn_packet(2, 7, 1000, packet, sizeof packet);
  index_.set_interface(8, "podman:web/drops", "container=web");
  index_.learn_packet(3, 8, 2000, packet, sizeof packet);
  EXPECT_EQ(0U, index_.original(2));
  EXPECT_EQ(2U, index_.original(3));
}

}  // namespace
}  // namespace podshark::plugin
