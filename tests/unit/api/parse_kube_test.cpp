// SPDX-License-Identifier: GPL-2.0-or-later
// Recorded from Kubernetes 1.20.2 (tests/kube), without managedFields, which kubectl shows no more
// since 1.21.
#include "podman/api/parse_kube.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/unit/temp_tree.h"

namespace podshark::api {
namespace {

using model::KubeContainer;
using model::KubePod;
using testing::ElementsAre;
using testing::HasSubstr;

std::string recorded() {
  return test::slurp(std::string(PODSHARK_FIXTURES) + "/kube-1.20.2/pods.json");
}

std::map<std::string, KubePod> by_name(const std::vector<KubePod>& pods) {
  std::map<std::string, KubePod> out;
  for (const KubePod& pod : pods) out[pod.name] = pod;
  return out;
}

TEST(ParseKube, a_pod_and_its_containers) {
  const auto parsed = parse_kube_pods(recorded());
  ASSERT_TRUE(parsed) << parsed.error().line();
  EXPECT_TRUE(parsed->notes.empty());
  ASSERT_EQ(parsed->items.size(), 8U);
  const KubePod shop = by_name(parsed->items).at("shop");
  EXPECT_EQ(shop.name_space, "store");
  EXPECT_EQ(shop.phase, "Running");
  EXPECT_EQ(shop.node, "node1");
  EXPECT_EQ(shop.uid.size(), 36U);
  EXPECT_THAT(shop.addresses, ElementsAre("10.244.0.7")) << "podIP and podIPs name the same";
  EXPECT_EQ(shop.labels.at("tier"), "front");
  EXPECT_TRUE(shop.owner.empty());
  ASSERT_EQ(shop.containers.size(), 2U);
  const KubeContainer& web = shop.containers[0];
  EXPECT_EQ(web.name, "web");
  EXPECT_EQ(web.image, "localhost/pause:1");
  EXPECT_EQ(web.state, "running");
  EXPECT_EQ(web.id.size(), 64U);
  EXPECT_GT(web.started_at, 1'700'000'000);
  EXPECT_THAT(web.ports, ElementsAre(model::PortMapping{"", 0, 80, 1, "tcp"}));
}

TEST(ParseKube, what_does_not_run_says_why) {
  const auto pods = by_name(parse_kube_pods(recorded())->items);
  EXPECT_EQ(pods.at("pending").phase, "Pending");
  EXPECT_EQ(pods.at("pending").reason, "Unschedulable");
  ASSERT_EQ(pods.at("pending").containers.size(), 1U) << "from the spec: no kubelet knows it";
  EXPECT_EQ(pods.at("pending").containers[0].state, "");
  EXPECT_EQ(pods.at("done").phase, "Failed");
  EXPECT_EQ(pods.at("done").containers[0].state, "terminated");
  EXPECT_EQ(pods.at("done").containers[0].reason, "Error");
  EXPECT_TRUE(pods.at("hostly").host_network);
}

TEST(ParseKube, pods_of_a_deployment_name_it_and_not_its_replica_set) {
  std::size_t found = 0;
  const auto parsed = parse_kube_pods(recorded());
  for (const KubePod& pod : parsed->items) {
    if (!pod.name.starts_with("api-")) continue;
    ++found;
    EXPECT_EQ(pod.owner_kind, "deployment");
    EXPECT_EQ(pod.owner, "api");
  }
  EXPECT_EQ(found, 2U);
}

TEST(ParseKube, one_pod_is_a_list_of_one) {
  const auto parsed = parse_kube_pods(
      R"({"kind":"Pod","metadata":{"name":"a","namespace":"b"},"spec":{"containers":[{"name":"c"}],
          "ephemeralContainers":[{"name":"d"}],"initContainers":[{"name":"e"}]}})");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->items.size(), 1U);
  ASSERT_EQ(parsed->items[0].containers.size(), 3U);
  EXPECT_EQ(parsed->items[0].containers[0].kind, KubeContainer::Kind::init);
  EXPECT_EQ(parsed->items[0].containers[1].kind, KubeContainer::Kind::main);
  EXPECT_EQ(parsed->items[0].containers[2].kind, KubeContainer::Kind::ephemeral);
}

TEST(ParseKube, names_that_kubectl_could_take_for_something_else_are_left_out_and_counted) {
  const auto parsed = parse_kube_pods(
      R"({"kind":"List","items":[{"metadata":{"name":"--all","namespace":"b"}},{"metadata":{"name":"a","namespace":"b/c"}},
          7,{"metadata":{"name":"ok","namespace":"b"},"spec":{"containers":[{"name":"-c"},{"name":"UPPER"}]}}]})");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->items.size(), 1U);
  EXPECT_TRUE(parsed->items[0].containers.empty());
  ASSERT_EQ(parsed->notes.size(), 1U);
  EXPECT_THAT(parsed->notes[0], HasSubstr("3 entries"));
}

TEST(ParseKube, nonsense_is_an_error_and_truncation_never_worse) {
  for (const char* text : {"", "nope", "7", "\"x\"", "{\"kind\":\"List\",\"items\":"}) {
    const auto parsed = parse_kube_pods(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::no_podman);
    EXPECT_THAT(parsed.error().hint, HasSubstr("kubectl"));
  }
  const std::string all = recorded();
  for (std::size_t n = 0; n + 2 < all.size(); n += 211)
    EXPECT_FALSE(parse_kube_pods(std::string_view(all).substr(0, n)));
}

}  // namespace
}  // namespace podshark::api
