// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/naming.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace podshark::extcap {
namespace {

using model::Container;
using model::Inventory;
using model::NetworkKind;
using model::Pod;
using testing::HasSubstr;

Container running(const std::string& name, char id, pid_t pid) {
  Container c;
  c.id = std::string(64, id);
  c.name = name;
  c.state = "running";
  c.pid = pid;
  c.netns = static_cast<std::uint64_t>(pid) + 1000;
  c.rootless = true;
  c.kind = NetworkKind::bridge;
  return c;
}

std::vector<std::string> values(const Result<Targets>& targets) {
  std::vector<std::string> out;
  for (const Target& t : targets->running) out.push_back(t.value);
  return out;
}

constexpr uid_t kUser = 1000;

TEST(Naming, own_and_rootful_containers_have_different_prefixes) {
  Container c = running("web", 'a', 10);
  EXPECT_EQ(interface_value(c, kUser), "podman:web");
  c.rootless = false;
  EXPECT_EQ(interface_value(c, kUser), "podman-root:web");
  EXPECT_EQ(interface_value(c, 0), "podman:web");
}

TEST(Naming, long_names_stay_below_64_bytes_and_stay_different) {
  const Container a = running(std::string(200, 'x') + "1", 'a', 10);
  const Container b = running(std::string(200, 'x') + "2", 'b', 11);
  EXPECT_LT(interface_value(a, kUser).size(), kMaxInterfaceName);
  EXPECT_NE(interface_value(a, kUser), interface_value(b, kUser));
  const Container umlaut =
      running(std::string(100, 'x').substr(0, 49) + "\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc\u00e4", 'c', 12);
  EXPECT_EQ(interface_value(umlaut, kUser).find("\xEF\xBF\xBD"), std::string::npos);
}

TEST(Naming, reserved_words_are_not_taken_over_by_containers) {
  EXPECT_EQ(interface_value(running("all", 'a', 10), kUser), "podman:container/all");
  EXPECT_EQ(interface_value(running("choose", 'a', 10), kUser), "podman:container/choose");
}

TEST(Naming, hostile_names_cannot_break_a_sentence_or_preference) {
  const std::string value = interface_value(running("a}{b\n,(c)\x1b[31m\xff", 'a', 10), kUser);
  EXPECT_EQ(value.find_first_of("{}\n,()\x1b"), std::string::npos) << value;
}

TEST(Naming, display_shows_image_address_and_port) {
  Container c = running("web", 'a', 10);
  c.image = "docker.io/library/nginx:1.27";
  c.networks.push_back({"podman", "eth0", "", {"10.89.0.2/24"}, ""});
  c.ports.push_back({"", 8080, 80, 1, "tcp"});
  EXPECT_EQ(display_text(c, kUser), "Podman web \u00b7 nginx:1.27 \u00b7 10.89.0.2 \u00b7 8080\u219280");
}

class Resolve : public testing::Test {
 protected:
  Resolve() {
    inventory.containers = {running("web", 'a', 10), running("db", 'b', 11), running("infra", 'c', 12),
                            running("app", 'd', 13), running("hostnet", 'e', 14)};
    inventory.containers[2].infra = true;
    inventory.containers[3].shares_with = inventory.containers[2].id;
    inventory.containers[3].kind = NetworkKind::shared;
    inventory.containers[3].pod_id = "p1";
    inventory.containers[2].pod_id = "p1";
    inventory.containers[4].kind = NetworkKind::host;
    Container old = running("old", 'f', 0);
    old.state = "exited";
    inventory.containers.push_back(old);
    inventory.pods.push_back(Pod{"p1",
                                 "shop",
                                 "running",
                                 inventory.containers[2].id,
                                 {inventory.containers[2].id, inventory.containers[3].id}});
  }
  Inventory inventory;
};

TEST_F(Resolve, by_value_name_and_id) {
  for (const char* name : {"podman:web", "web", "aaaa"}) {
    const auto targets = resolve({name}, inventory, kUser);
    ASSERT_TRUE(targets) << name;
    EXPECT_THAT(values(targets), testing::ElementsAre("podman:web"));
  }
}

TEST_F(Resolve, a_pod_is_one_network_namespace) {
  const auto targets = resolve({"pod/shop"}, inventory, kUser);
  ASSERT_TRUE(targets);
  EXPECT_THAT(values(targets), testing::ElementsAre("podman:pod/shop"));
  EXPECT_EQ(targets->running.front().container.name, "infra");
}

TEST_F(Resolve, a_pod_member_is_captured_in_the_infra_containers_namespace_under_its_own_name) {
  const auto targets = resolve({"app"}, inventory, kUser);
  ASSERT_TRUE(targets);
  EXPECT_THAT(values(targets), testing::ElementsAre("podman:app"));
  EXPECT_EQ(targets->running.front().container.pid, 12);
  EXPECT_EQ(targets->running.front().pod, "shop");
}

TEST_F(Resolve, a_container_of_kube_play_is_found_by_its_pods_and_its_own_name) {
  inventory.containers[3].kubernetes = {"", "shop", "web"};
  const auto targets = resolve({"shop/web"}, inventory, kUser);
  ASSERT_TRUE(targets) << targets.error().line();
  EXPECT_THAT(values(targets), testing::ElementsAre("podman:app"));
  EXPECT_THAT(display_text(inventory.containers[3], kUser), HasSubstr("kube shop/web"));
  EXPECT_FALSE(resolve({"shop/nothing"}, inventory, kUser));
}

TEST_F(Resolve, all_takes_each_namespace_once_and_leaves_out_host_network_and_stopped) {
  const auto targets = resolve({"podman:all"}, inventory, kUser);
  ASSERT_TRUE(targets);
  EXPECT_THAT(values(targets), testing::UnorderedElementsAre("podman:pod/shop", "podman:web", "podman:db"));
}

TEST_F(Resolve, failures_say_what_and_what_to_do) {
  const auto missing = resolve({"nope"}, inventory, kUser);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
  EXPECT_THAT(missing.error().line(), HasSubstr("podman:web"));
  const auto stopped = resolve({"old"}, inventory, kUser);
  ASSERT_TRUE(stopped);
  EXPECT_TRUE(stopped->running.empty());
  ASSERT_EQ(stopped->stopped.size(), 1U);
  EXPECT_EQ(not_running(stopped->stopped.front()).kind, ErrorKind::not_running);
  EXPECT_THAT(not_running(stopped->stopped.front()).line(), HasSubstr("podman start old"));
}

TEST_F(Resolve, containers_in_the_hosts_network_are_told_apart) {
  inventory.containers[1].kind = NetworkKind::host;
  inventory.containers[1].netns = inventory.containers[4].netns = 7;
  const auto targets = resolve({"hostnet", "db", "hostnet"}, inventory, kUser);
  ASSERT_TRUE(targets);
  EXPECT_THAT(values(targets), testing::ElementsAre("podman:hostnet", "podman:db"));
}

TEST_F(Resolve, a_pod_in_the_hosts_network_is_its_members) {
  inventory.containers[2].kind = NetworkKind::host;
  const auto targets = resolve({"pod/shop"}, inventory, kUser);
  ASSERT_TRUE(targets);
  EXPECT_THAT(values(targets), testing::ElementsAre("podman:app"));
  EXPECT_EQ(targets->running.front().container.pid, 13);
  EXPECT_EQ(targets->running.front().container.kind, NetworkKind::host);
}

TEST_F(Resolve, a_tool_is_run_in_the_named_container_or_in_a_member_of_the_pod) {
  const auto chosen = [&](const char* name) {
    return resolve({name}, inventory, kUser)->running.front().chosen.name;
  };
  EXPECT_EQ(chosen("web"), "web");
  EXPECT_EQ(chosen("app"), "app");
  EXPECT_EQ(chosen("pod/shop"), "app");
}

TEST_F(Resolve, patterns_and_labels_take_what_runs) {
  inventory.containers[0].labels["app"] = "shop";
  const auto pattern = resolve({"w?b*"}, inventory, kUser);
  ASSERT_TRUE(pattern);
  EXPECT_THAT(values(pattern), testing::ElementsAre("podman:web"));
  for (const char* label : {"label=app", "label=app=shop"}) {
    const auto labelled = resolve({label}, inventory, kUser);
    ASSERT_TRUE(labelled) << label;
    EXPECT_EQ(labelled->running.size(), 1U) << label;
  }
  const auto none = resolve({"label=app=other"}, inventory, kUser);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::not_found);
  EXPECT_THAT(none.error().line(), HasSubstr("--wait"));
}

TEST_F(Resolve, a_network_is_its_bridge_on_the_hosts_side) {
  inventory.networks.push_back(
      {"n", "lan", "bridge", "podman1", {"10.89.0.0/24"}, false, true, {}, {"10.89.0.1"}});
  inventory.networks.push_back({"m", "flat", "macvlan", "eth0", {}, false, false, {}, {}});
  for (const char* name : {"net/lan", "podman:net/lan"}) {
    const auto targets = resolve({name}, inventory, kUser);
    ASSERT_TRUE(targets) << name;
    EXPECT_EQ(targets->running.front().point, Point::host);
    EXPECT_EQ(what(targets->running.front()), "network lan");
  }
  const auto flat = resolve({"net/flat"}, inventory, kUser);
  ASSERT_FALSE(flat);
  EXPECT_EQ(flat.error().kind, ErrorKind::unsupported);
}

TEST_F(Resolve, while_a_capture_runs_what_is_missing_is_left_out) {
  const auto running = resolve_running({"web", "old", "nope"}, inventory, kUser);
  ASSERT_EQ(running.size(), 1U);
  EXPECT_EQ(running.front().value, "podman:web");
}

TEST_F(Resolve, an_ambiguous_id_is_refused) {
  inventory.containers[1].id = std::string(63, 'a') + "b";
  const auto targets = resolve({"aaa"}, inventory, kUser);
  ASSERT_FALSE(targets);
  EXPECT_EQ(targets.error().kind, ErrorKind::usage);
}

TEST_F(Resolve, an_own_container_wins_over_a_rootful_one_of_the_same_name) {
  Container rootful = running("web", '9', 20);
  rootful.rootless = false;
  inventory.containers.insert(inventory.containers.begin(), rootful);
  const auto own = resolve({"web"}, inventory, kUser);
  ASSERT_TRUE(own);
  EXPECT_EQ(own->running.front().container.pid, 10);
  const auto root = resolve({"podman-root:web"}, inventory, kUser);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->running.front().container.pid, 20);
}

}  // namespace
}  // namespace podshark::extcap
