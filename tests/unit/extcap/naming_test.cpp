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

std::vector<std::string> values(const Result<std::vector<Target>>& targets) {
  std::vector<std::string> out;
  for (const Target& t : targets.value()) out.push_back(t.value);
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
  EXPECT_EQ(targets->front().container.name, "infra");
}

TEST_F(Resolve, a_pod_member_is_captured_in_the_infra_containers_namespace_under_its_own_name) {
  const auto targets = resolve({"app"}, inventory, kUser);
  ASSERT_TRUE(targets);
  EXPECT_THAT(values(targets), testing::ElementsAre("podman:app"));
  EXPECT_EQ(targets->front().container.pid, 12);
  EXPECT_EQ(targets->front().pod, "shop");
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
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::not_running);
  EXPECT_THAT(stopped.error().line(), HasSubstr("podman start old"));
  const auto host = resolve({"hostnet"}, inventory, kUser);
  ASSERT_FALSE(host);
  EXPECT_EQ(host.error().kind, ErrorKind::unsupported);
  EXPECT_THAT(host.error().line(), HasSubstr("host interface"));
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
  EXPECT_EQ(own->front().container.pid, 10);
  const auto root = resolve({"podman-root:web"}, inventory, kUser);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->front().container.pid, 20);
}

}  // namespace
}  // namespace podshark::extcap
