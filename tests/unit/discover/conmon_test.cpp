// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "podman/discover/discover.h"
#include "tests/unit/discover/fake_proc.h"

namespace podshark::discover {
namespace {

using model::Container;
using model::Inventory;
using model::NetworkKind;
using test::FakeProc;
using testing::ElementsAre;

const std::string kId(64, 'a');
const std::string kOther(64, 'b');

TEST(ScanConmon, finds_name_id_process_and_addresses) {
  const FakeProc proc;
  proc.container(200, 201, kId, "web");
  proc.bridge_network(201);
  const Inventory found = scan_conmon(proc.path());
  ASSERT_EQ(found.containers.size(), 1U);
  const Container& c = found.containers[0];
  EXPECT_EQ(c.id, kId);
  EXPECT_EQ(c.name, "web");
  EXPECT_EQ(c.state, "running");
  EXPECT_EQ(c.pid, 201);
  EXPECT_EQ(c.conmon_pid, 200);
  EXPECT_EQ(c.pid_start, 4200U);
  EXPECT_EQ(c.started_at, 1700000000 + 4200 / ::sysconf(_SC_CLK_TCK));
  EXPECT_EQ(c.owner, ::geteuid());
  EXPECT_EQ(c.rootless, ::geteuid() != 0);
  EXPECT_TRUE(c.limited);
  EXPECT_FALSE(c.infra);
  EXPECT_EQ(c.kind, NetworkKind::unknown);
  ASSERT_EQ(c.networks.size(), 1U);
  EXPECT_EQ(c.networks[0].interface, "eth0");
  EXPECT_THAT(c.networks[0].addresses, ElementsAre("10.88.0.2/16", "fd00::2/64"));
  EXPECT_EQ(c.networks[0].gateway, "10.88.0.1");
  EXPECT_GT(found.time_ns, 0);
  EXPECT_FALSE(found.host.empty());
  EXPECT_TRUE(found.problems.empty());
}

TEST(ScanConmon, recognises_host_and_none) {
  const FakeProc proc;
  proc.container(200, 201, kId, "host");
  proc.host_network(201);
  proc.container(300, 301, kOther, "none");
  proc.only_loopback(301);
  const Inventory found = scan_conmon(proc.path());
  ASSERT_EQ(found.containers.size(), 2U);
  EXPECT_EQ(found.containers[0].kind, NetworkKind::host);
  EXPECT_TRUE(found.containers[0].networks.empty());
  EXPECT_EQ(found.containers[1].kind, NetworkKind::none);
}

TEST(ScanConmon, members_share_the_network_of_their_infra_container) {
  const FakeProc proc;
  proc.container(200, 201, kId, "0123456789ab-infra");
  proc.bridge_network(201);
  proc.container(300, 301, kOther, "member");
  proc.same_network(301, 201);
  const Inventory found = scan_conmon(proc.path());
  ASSERT_EQ(found.containers.size(), 2U);
  EXPECT_TRUE(found.containers[0].infra);
  EXPECT_EQ(found.containers[1].kind, NetworkKind::shared);
  EXPECT_EQ(found.containers[1].shares_with, kId);
  EXPECT_TRUE(found.containers[1].networks.empty());
}

TEST(ScanConmon, in_a_shared_namespace_the_oldest_container_passes_for_the_owner) {
  const FakeProc proc;
  proc.container(200, 201, kId, "younger");
  proc.process(201, "sleep", 200, "201\t1", 'S', 5000);
  proc.bridge_network(201);
  proc.container(300, 301, kOther, "older");
  proc.same_network(301, 201);
  const Inventory found = scan_conmon(proc.path());
  ASSERT_EQ(found.containers.size(), 2U);
  EXPECT_EQ(found.containers[0].kind, NetworkKind::unknown);
  EXPECT_EQ(found.containers[1].kind, NetworkKind::shared);
  EXPECT_EQ(found.containers[1].shares_with, kOther);
}

TEST(ScanConmon, containers_on_the_hosts_network_share_it_with_nobody) {
  const FakeProc proc;
  proc.container(200, 201, kId, "one");
  proc.host_network(201);
  proc.container(300, 301, kOther, "two");
  proc.host_network(301);
  const Inventory found = scan_conmon(proc.path());
  for (const Container& c : found.containers) EXPECT_EQ(c.kind, NetworkKind::host);
}

TEST(ScanConmon, exec_sessions_and_the_cleanup_command_are_not_containers) {
  const FakeProc proc;
  proc.container(200, 201, kId, "web");
  proc.process(202, "podman", 200);  // the exit command of a container that has just ended
  proc.process(210, "conmon", 1);
  proc.cmdline(210, {"/usr/bin/conmon", "-c", kId, "-n", "web", "-e", "--exec-attach"});
  proc.process(211, "sh", 210, "211\t17");
  const Inventory found = scan_conmon(proc.path());
  ASSERT_EQ(found.containers.size(), 1U);
  EXPECT_EQ(found.containers[0].pid, 201);
}

TEST(ScanConmon, with_the_hosts_pid_namespace_the_oldest_child_is_the_container) {
  const FakeProc proc;
  proc.container(200, 201, kId, "web");
  proc.process(201, "app", 200, "201", 'S', 500);
  proc.process(190, "late", 200, "190", 'S', 900);
  EXPECT_EQ(scan_conmon(proc.path()).containers.at(0).pid, 201);
}

TEST(ScanConmon, a_conmon_inside_a_container_is_an_impostor) {
  const FakeProc proc;
  proc.container(200, 201, kId, "web");
  proc.process(200, "conmon", 1, "200\t7");
  EXPECT_TRUE(scan_conmon(proc.path()).containers.empty());
}

TEST(ScanConmon, strange_command_lines_are_survived) {
  const FakeProc proc;
  const std::vector<std::vector<std::string>> lines{{},
                                                    {"conmon"},
                                                    {"conmon", "-c"},
                                                    {"conmon", "-c", ""},
                                                    {"conmon", "-c", "../../etc"},
                                                    {"conmon", "-c", "ABCDEF012345"},
                                                    {"conmon", "-n", "x"},
                                                    {"conmon", "--exit-command", "-c", kId},
                                                    {"conmon", "-c", kId + "0"}};
  int pid = 1000;
  for (const auto& line : lines) {
    proc.process(pid, "conmon", 1);
    proc.cmdline(pid, line);
    proc.process(pid + 1, "app", pid);
    pid += 2;
  }
  EXPECT_TRUE(scan_conmon(proc.path()).containers.empty());
}

TEST(ScanConmon, a_container_whose_process_has_ended_is_left_out) {
  const FakeProc proc;
  proc.container(200, 201, kId, "web");
  proc.process(201, "sleep", 200, "201\t1", 'Z');
  EXPECT_TRUE(scan_conmon(proc.path()).containers.empty());
}

TEST(ScanConmon, a_nameless_container_is_called_by_its_id) {
  const FakeProc proc;
  proc.container(200, 201, kId, "");
  EXPECT_EQ(scan_conmon(proc.path()).containers.at(0).name, "aaaaaaaaaaaa");
}

TEST(ScanConmon, no_proc_at_all_is_an_empty_inventory) {
  EXPECT_TRUE(scan_conmon("/no/such/proc").containers.empty());
}

}  // namespace
}  // namespace podshark::discover
