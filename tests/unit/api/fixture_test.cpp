// SPDX-License-Identifier: GPL-2.0-or-later
// What record.sh set up must be found again in what each recorded podman said about it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "podman/api/parse.h"
#include "tests/unit/temp_tree.h"

namespace podshark::api {
namespace {

using model::Attachment;
using model::Container;
using model::PortMapping;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

const std::vector<PortMapping> kRangePorts{{"", 28171, 90, 3, "tcp"}, {"127.0.0.1", 8085, 80, 1, "udp"}};

class Recorded : public testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] static std::string read(const std::string& file) {
    return test::slurp(std::string(PODSHARK_FIXTURES) + "/podman-" + GetParam() + "/" + file + ".json");
  }
  [[nodiscard]] static bool old() { return std::string(GetParam()) == "4.3.1"; }

  template <typename T>
  static std::vector<T> good(Result<Parsed<T>> parsed) {
    if (!parsed) {
      ADD_FAILURE() << parsed.error().line();
      return {};
    }
    EXPECT_TRUE(parsed->notes.empty());
    return std::move(parsed->items);
  }

  static std::map<std::string, PsRow> rows(const std::string& file) {
    std::map<std::string, PsRow> out;
    for (PsRow& row : good(parse_ps(read(file)))) out[key(row.container)] = row;
    return out;
  }
  static std::map<std::string, Container> details(const std::string& file) {
    std::map<std::string, Container> out;
    for (Container& c : good(parse_inspect(read(file)))) out[key(c)] = c;
    return out;
  }
  static std::string key(const Container& c) { return c.infra ? "infra" : c.name; }

  template <typename Map>
  static std::vector<std::string> keys(const Map& map) {
    std::vector<std::string> out;
    for (const auto& [name, value] : map) out.push_back(name);
    return out;
  }
};

void expect_rootful_rows(std::map<std::string, PsRow> rows) {
  ASSERT_EQ(rows.size(), 11U);
  for (const auto& [name, row] : rows) {
    const Container& c = row.container;
    EXPECT_EQ(c.id.size(), 64U);
    EXPECT_EQ(c.image_id.size(), c.infra && c.image_id.empty() ? 0U : 64U) << "5.8 has no image for infra";
    EXPECT_GT(c.created_at, 1'700'000'000);
    const bool stopped = name == "created" || name == "exited";
    EXPECT_EQ(c.state, stopped ? name : "running");
    EXPECT_EQ(c.pid > 0, !stopped) << name;
    EXPECT_EQ(c.netns != 0, !stopped) << name;
    EXPECT_EQ(c.started_at > 0, name != "created") << name;
  }
  EXPECT_EQ(rows["range"].container.image, "localhost/bb:1");
  EXPECT_EQ(rows["range"].container.ports, kRangePorts);
  EXPECT_EQ(rows["share"].container.ports, kRangePorts) << "podman shows the owner's ports";
  EXPECT_THAT(rows["member"].container.ports, ElementsAre(PortMapping{"", 9092, 80, 1, "tcp"}));
  EXPECT_TRUE(rows["host"].container.ports.empty());
  EXPECT_EQ(rows["member"].pod_name, "shop");
  EXPECT_EQ(rows["member"].container.pod_id, rows["infra"].container.pod_id);
  EXPECT_EQ(rows["member"].container.netns, rows["infra"].container.netns);
  EXPECT_EQ(rows["share"].container.netns, rows["range"].container.netns);
  ASSERT_EQ(rows["two"].container.networks.size(), 2U);
  EXPECT_EQ(rows["two"].container.networks[0].network, "na");
  EXPECT_EQ(rows["two"].container.networks[1].network, "nb");
  EXPECT_TRUE(rows["host"].container.networks.empty());
}

TEST_P(Recorded, rootful_ps) {
  expect_rootful_rows(rows("rootful-ps"));
}

TEST_P(Recorded, rest_ps_says_the_same) {
  expect_rootful_rows(rows("rest-ps"));
  const auto cli = rows("rootful-ps");
  for (auto& [name, row] : rows("rest-ps")) EXPECT_EQ(row.container, cli.at(name).container) << name;
}

TEST_P(Recorded, rootless_ps) {
  auto found = rows("rootless-ps");
  EXPECT_THAT(keys(found),
              UnorderedElementsAre("bridged", "created", "default", "host", "infra", "member", "none"));
  EXPECT_THAT(found["default"].container.ports, ElementsAre(PortMapping{"", 8081, 80, 1, "tcp"}));
  EXPECT_TRUE(found["default"].container.networks.empty());
  EXPECT_EQ(found["bridged"].container.networks.at(0).network, "nu");
}

TEST_P(Recorded, hostile_labels_are_kept_as_they_are) {
  for (const auto& c : {rows("rootful-ps")["hostile"].container, details("rootful-inspect")["hostile"]}) {
    EXPECT_EQ(c.labels.at("line"), "one\ntwo\ttab\x1b[31mred");
    EXPECT_EQ(c.labels.at("sentence"), "value {x=1}{y=2} \"quoted\" \\");
    EXPECT_EQ(c.labels.at("bidi"), "\u202egnp.exe");
    EXPECT_EQ(c.labels.at("long"), std::string(4000, 'x'));
    EXPECT_EQ(c.labels.at("empty"), "");
    EXPECT_EQ(c.compose_project, "shop");
    EXPECT_EQ(c.compose_service, "web");
    EXPECT_EQ(c.systemd_unit, "web.service");
  }
}

TEST_P(Recorded, rootful_inspect_modes_and_processes) {
  auto found = details("rootful-inspect");
  ASSERT_EQ(found.size(), 11U);
  for (const auto& [name, c] : found) {
    const bool stopped = name == "created" || name == "exited";
    EXPECT_EQ(c.pid > 0 && c.conmon_pid > 0, !stopped) << name;
    EXPECT_EQ(c.state, stopped ? name : "running");
    EXPECT_EQ(c.started_at > 0, name != "created") << name;
    const bool has_path = !stopped && name != "host" && name != "none";
    EXPECT_EQ(c.netns_path.rfind("/run/netns/netns-", 0) == 0, has_path) << name << " " << c.netns_path;
    EXPECT_EQ(c.image, name == "infra" ? c.image : "localhost/bb:1");
  }
  EXPECT_EQ(found["range"].mode, "bridge");
  EXPECT_EQ(found["vlan"].mode, "bridge") << "podman's word for macvlan too";
  EXPECT_EQ(found["host"].mode, "host");
  EXPECT_EQ(found["none"].mode, "none");
  EXPECT_EQ(found["share"].mode, "container:" + found["range"].id);
  EXPECT_EQ(found["member"].mode, "container:" + found["infra"].id);
  EXPECT_EQ(found["member"].pod_id, found["infra"].pod_id);
}

TEST_P(Recorded, rootful_inspect_networks) {
  auto found = details("rootful-inspect");
  const std::vector<Attachment>& two = found["two"].networks;
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0].network, "na");
  EXPECT_THAT(two[0].addresses, ElementsAre("10.89.0.2/24"));
  EXPECT_EQ(two[0].gateway, "10.89.0.1");
  EXPECT_EQ(two[0].mac.size(), 17U);
  EXPECT_EQ(two[1].network, "nb");
  EXPECT_THAT(two[1].addresses, ElementsAre("10.77.0.2/24", "fd77::2/64"));
  EXPECT_EQ(two[1].gateway, "10.77.0.1");
  EXPECT_THAT(found["vlan"].networks.at(0).addresses, ElementsAre("198.51.100.2/24"));
  EXPECT_EQ(found["created"].networks.at(0).network, "podman");
  EXPECT_TRUE(found["created"].networks.at(0).addresses.empty());
  EXPECT_EQ(found["host"].networks.size(), old() ? 0U : 1U) << "5.x has an entry of empty strings";
}

TEST_P(Recorded, rootless_inspect) {
  auto found = details("rootless-inspect");
  const char* mode = old() ? "slirp4netns" : "pasta";
  EXPECT_EQ(found["default"].mode, mode);
  EXPECT_EQ(found["infra"].mode, mode);
  EXPECT_EQ(found["bridged"].mode, "bridge");
  EXPECT_THAT(found["bridged"].networks.at(0).addresses, ElementsAre("10.89.1.2/24"));
  for (const auto& [name, c] : found) EXPECT_EQ(c.netns_path, "") << name << ": of no use outside podman";
}

TEST_P(Recorded, rest_inspect_is_one_object_with_the_same_content) {
  const auto cli = details("rootful-inspect");
  const auto rest = details("rest-inspect");
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest.at("two"), cli.at("two"));
}

TEST_P(Recorded, networks) {
  std::map<std::string, NetworkDetails> found;
  for (NetworkDetails& n : good(parse_networks(read("rootful-networks")))) found[n.network.name] = n;
  EXPECT_THAT(keys(found), UnorderedElementsAre("podman", "na", "nb", "mv"));
  EXPECT_EQ(found["podman"].network.bridge, "podman0");
  EXPECT_EQ(found["mv"].network.driver, "macvlan");
  EXPECT_EQ(found["mv"].network.bridge, "wan0") << "the parent";
  EXPECT_THAT(found["nb"].network.subnets, ElementsAre("10.77.0.0/24", "fd77::/64"));
  EXPECT_EQ(found["nb"].network.id.size(), 64U);
  EXPECT_EQ(found["podman"].links.size(), old() ? 0U : 3U);
  EXPECT_EQ(good(parse_networks(read("rootless-networks"))).at(0).network.name, "nu");
}

TEST_P(Recorded, network_links_match_inspect_by_mac) {
  const auto containers = details("rootful-inspect");
  const auto networks = good(parse_networks(read("rest-network")));
  ASSERT_EQ(networks.size(), 1U);
  if (old()) {
    EXPECT_TRUE(networks[0].links.empty()) << "absent in 4.x";
    return;
  }
  ASSERT_EQ(networks[0].links.size(), 1U);
  const NetworkLink& link = networks[0].links[0];
  EXPECT_EQ(link.container_id, containers.at("two").id);
  EXPECT_EQ(link.mac, containers.at("two").networks.at(1).mac);
  EXPECT_THAT(link.interface, testing::AnyOf("eth0", "eth1"));
  EXPECT_THAT(link.addresses, ElementsAre("10.77.0.2/24", "fd77::2/64"));
}

TEST_P(Recorded, pods_from_ps_inspect_and_rest_are_the_same) {
  const auto listed = good(parse_pods(read("rootful-pods")));
  ASSERT_EQ(listed.size(), 1U);
  auto containers = details("rootful-inspect");
  EXPECT_EQ(listed[0].name, "shop");
  EXPECT_EQ(listed[0].state, "Running");
  EXPECT_EQ(listed[0].id, containers["infra"].pod_id);
  EXPECT_EQ(listed[0].infra_id, containers["infra"].id);
  EXPECT_THAT(listed[0].members, UnorderedElementsAre(containers["infra"].id, containers["member"].id));
  EXPECT_EQ(good(parse_pods(read("rootful-pod-inspect"))), listed);
  EXPECT_EQ(good(parse_pods(read("rest-pods"))), listed);
  EXPECT_EQ(good(parse_pods(read("rootless-pods"))), good(parse_pods(read("rootless-pod-inspect"))));
}

TEST_P(Recorded, truncation_is_an_error_and_nothing_worse) {
  for (const char* file : {"rootful-ps", "rootful-networks", "rootful-pods"}) {
    const std::string text = read(file);
    for (std::size_t n = 0; n < text.size() - 2; n += 211) {
      const std::string_view cut = std::string_view(text).substr(0, n);
      EXPECT_FALSE(parse_ps(cut));
      EXPECT_FALSE(parse_networks(cut));
      EXPECT_FALSE(parse_pods(cut));
    }
  }
}

std::string test_name(const testing::TestParamInfo<const char*>& info) {
  std::string name = std::string("podman_") + info.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Versions, Recorded, testing::Values("4.3.1", "5.4.2", "5.8.6"), test_name);

}  // namespace
}  // namespace podshark::api
