// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/list_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace podshark::extcap {
namespace {

using model::Container;
using model::Inventory;
using model::NetworkKind;
using testing::HasSubstr;
using testing::Not;

Container container(const std::string& name, NetworkKind kind) {
  Container c;
  c.id = name + "-id";
  c.name = name;
  c.image = "img";
  c.state = "running";
  c.pid = 7;
  c.rootless = true;
  c.kind = kind;
  return c;
}

Inventory shop() {
  Inventory i;
  Container infra = container("0123456789ab-infra", NetworkKind::bridge);
  infra.infra = true;
  infra.networks = {{"shop-net", "eth0", "", {"10.89.0.2/24", "fd00::2/64"}, ""}};
  Container member = container("web", NetworkKind::shared);
  member.shares_with = infra.id;
  member.pod_id = "pod-id";
  member.ports = {{"", 8080, 80, 1, "tcp"}};
  i.containers = {infra, member};
  i.pods = {{"pod-id", "shop", "Running", infra.id, {infra.id, member.id}}};
  return i;
}

std::string table(const Inventory& inventory, bool all = false) {
  std::ostringstream out;
  write_table(out, inventory, 1000, all);
  return out.str();
}

TEST(WriteTable, bytes_of_a_pod) {
  EXPECT_EQ(
      table(shop()),
      "NAME  IMAGE  STATE    NETWORK                       ADDRESSES           PORTS        POD   INTERFACE\n"
      "web   img    running  bridge (shop-net) of the pod  10.89.0.2, fd00::2  8080\u219280/tcp  shop  "
      "podman:web\n"
      "\n"
      "POD   STATE    MEMBERS  INTERFACE\n"
      "shop  Running  web      podman:pod/shop\n");
}

TEST(WriteTable, infra_containers_with_all_only) {
  EXPECT_THAT(table(shop()), Not(HasSubstr("infra")));
  EXPECT_THAT(table(shop(), true), HasSubstr("0123456789ab-infra"));
}

TEST(WriteTable, nothing_is_said_in_words) {
  EXPECT_THAT(table({}), HasSubstr("No running containers"));
  EXPECT_EQ(table({}, true), "No containers.\n");
}

TEST(WriteTable, hostile_text_stays_in_its_cell) {
  Inventory i;
  Container c = container("a\nb\x1b[2J\u202e", NetworkKind::bridge);
  c.image = std::string(4000, 'x');
  c.networks = {{"n\nn", "", "", {"1.2.3.4\r/24"}, ""}};
  c.ports.assign(100, {"\x1b]0;x", 1, 1, 1, "t\ncp"});
  i.containers = {c};
  const std::string text = table(i);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_LT(text.size(), 2000U);
}

TEST(WriteTable, stopped_containers_have_no_interface) {
  Inventory i;
  i.containers = {container("old", NetworkKind::bridge)};
  i.containers[0].pid = 0;
  EXPECT_THAT(table(i, true), Not(HasSubstr("podman:old")));
}

TEST(NetworkCell, names_whom_it_shares_with) {
  Inventory i;
  i.containers = {container("web", NetworkKind::pasta), container("side", NetworkKind::shared)};
  i.containers[1].shares_with = "web-id";
  EXPECT_EQ(network_cell(i.containers[0], i), "pasta");
  EXPECT_EQ(network_cell(i.containers[1], i), "shared with web");
}

TEST(NetworkCell, a_circle_of_shared_networks_ends) {
  Inventory i;
  i.containers = {container("a", NetworkKind::shared), container("b", NetworkKind::shared)};
  i.containers[0].shares_with = "b-id";
  i.containers[1].shares_with = "a-id";
  i.containers[0].infra = i.containers[1].infra = true;
  EXPECT_EQ(network_cell(i.containers[0], i), "shared with b");
  EXPECT_FALSE(table(i, true).empty());
}

TEST(WriteNotes, one_line_per_problem_and_one_about_limited_containers) {
  Inventory i;
  i.problems = {{"podman", "podman ps:\nfailed", "look"}};
  Container c = container("db", NetworkKind::unknown);
  c.rootless = false;
  c.limited = true;
  i.containers = {c};
  std::ostringstream out;
  write_notes(out, i);
  EXPECT_EQ(out.str(),
            "note: podman ps: failed (look)\n"
            "note: 1 rootful container is shown without image, ports and pod (run as root to see them)\n");
}

}  // namespace
}  // namespace podshark::extcap
