// SPDX-License-Identifier: GPL-2.0-or-later
// discover() against a made-up `podman` in PATH, which answers what a real one was recorded to say or
// misbehaves, and a made-up /proc.
#include "podman/discover/discover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "podman/api/parse.h"
#include "tests/unit/discover/fake_proc.h"

namespace podshark::discover {
namespace {

using namespace std::chrono_literals;
using model::Container;
using model::Inventory;
using model::NetworkKind;
using test::FakeProc;
using test::ScopedEnv;
using test::TempTree;
using testing::HasSubstr;

const std::string kSeenId(64, 'f');  // conmon shows it, podman does not

class Discover : public testing::Test {
 protected:
  Discover() {
    const std::string conf =
        tree_.write("storage.conf", "[storage]\ngraphroot = \"" + tree_.path() + "/graph\"\n");
    tree_.write("graph/libpod/bolt_state.db", "");
    storage_conf_.emplace("CONTAINERS_STORAGE_CONF", conf.c_str());
    runtime_.emplace("XDG_RUNTIME_DIR", tree_.path().c_str());
    // The system's own directories stay: the script needs cat and kill.
    path_.emplace("PATH", (tree_.path() + "/bin:/usr/bin:/bin").c_str());
    options_.proc = proc_.path();
    options_.rootful_socket = tree_.path() + "/no.sock";
    proc_.container(900, 901, kSeenId, "seen");
    proc_.bridge_network(901, "9");
  }

  /// `podman` as a shell script; $* are its arguments, $dir a directory for its files.
  void podman(const std::string& script) {
    tree_.write("bin/podman", "#!/bin/sh\ndir=" + tree_.path() + "\n" + script + "\n", true);
  }

  /// Answers with files recorded from `version`; `before` runs first. Processes are put into /proc.
  void recorded(const std::string& version, const std::string& before = "",
                const std::string& what = "rootful") {
    const std::string fixtures = std::string(PODSHARK_FIXTURES) + "/podman-" + version + "/" + what + "-";
    podman("echo \"$*\" >>$dir/calls\n" + before + "\ncase \"$*\" in\n*' pod ps '*) cat " + fixtures +
           "pods.json;;\n*'network inspect '*) cat " + fixtures + "networks.json;;\n*' inspect '*) cat " +
           fixtures + "inspect.json;;\n*' ps '*) cat " + fixtures + "ps.json;;\n*) exit 125;;\nesac");
    const auto containers = api::parse_inspect(test::slurp(fixtures + "inspect.json"));
    for (const Container& c : containers->items) {
      if (c.pid == 0) continue;
      proc_.container(c.conmon_pid, c.pid, c.id, c.name);
      if (c.mode == "host") proc_.host_network(c.pid);
      if (c.mode == "none") proc_.only_loopback(c.pid);
      if (c.name == "range") proc_.bridge_network(c.pid);
    }
  }

  Inventory found(std::chrono::milliseconds deadline = 20s, bool all = false) {
    options_.deadline = deadline;
    options_.all = all;
    return discover(options_);
  }

  static const Container* by_name(const Inventory& inventory, const std::string& name) {
    for (const Container& c : inventory.containers) {
      if (c.name == name) return &c;
    }
    return nullptr;
  }

  /// What conmon shows is there, and exactly one line says why the rest is not.
  void expect_only_seen(const Inventory& inventory, const std::string& reason) {
    ASSERT_EQ(inventory.containers.size(), 1U);
    EXPECT_EQ(inventory.containers[0].id, kSeenId);
    EXPECT_TRUE(inventory.containers[0].limited);
    ASSERT_EQ(inventory.problems.size(), 1U);
    EXPECT_EQ(inventory.problems[0].source, "podman");
    EXPECT_THAT(inventory.problems[0].what, HasSubstr(reason));
    EXPECT_EQ(inventory.problems[0].what.find('\n'), std::string::npos);
    EXPECT_FALSE(inventory.problems[0].hint.empty());
  }

  FakeProc proc_;
  TempTree tree_;
  Options options_;
  std::optional<ScopedEnv> storage_conf_;
  std::optional<ScopedEnv> runtime_;
  std::optional<ScopedEnv> path_;
};

class DiscoverRecorded : public Discover, public testing::WithParamInterface<const char*> {};

TEST_P(DiscoverRecorded, everything_is_merged) {
  recorded(GetParam());
  const Inventory inventory = found();
  EXPECT_TRUE(inventory.problems.empty()) << inventory.problems.at(0).what;
  ASSERT_EQ(inventory.containers.size(), 10U) << "nine that run and the one conmon shows";
  EXPECT_TRUE(std::is_sorted(inventory.containers.begin(), inventory.containers.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
  const std::vector<std::pair<std::string, NetworkKind>> kinds{
      {"range", NetworkKind::bridge},  {"two", NetworkKind::bridge},    {"vlan", NetworkKind::macvlan},
      {"host", NetworkKind::host},     {"none", NetworkKind::none},     {"share", NetworkKind::shared},
      {"member", NetworkKind::shared}, {"hostile", NetworkKind::bridge}};
  for (const auto& [name, kind] : kinds) {
    const Container* c = by_name(inventory, name);
    ASSERT_NE(c, nullptr) << name;
    EXPECT_EQ(c->kind, kind) << name;
    EXPECT_TRUE(c->alive()) << name;
    EXPECT_FALSE(c->limited) << name;
    EXPECT_EQ(c->pid_start, 4200U) << name;
    EXPECT_EQ(c->owner, ::geteuid());
    const bool own_network = kind == NetworkKind::bridge || kind == NetworkKind::macvlan;
    EXPECT_EQ(c->networks.empty(), !own_network) << name;
  }
  const Container* range = by_name(inventory, "range");
  EXPECT_EQ(range->networks.at(0).interface, "eth0") << "from network inspect, or /proc with 4.x";
  EXPECT_EQ(range->ports.size(), 2U);
  EXPECT_EQ(by_name(inventory, "share")->shares_with, range->id);
  EXPECT_EQ(by_name(inventory, "hostile")->compose_project, "shop");
  ASSERT_EQ(inventory.pods.size(), 1U);
  EXPECT_EQ(inventory.by_id(inventory.pods[0].infra_id)->infra, true);
  EXPECT_EQ(by_name(inventory, "member")->shares_with, inventory.pods[0].infra_id);
  EXPECT_EQ(inventory.networks.size(), 4U);
}

std::string test_name(const testing::TestParamInfo<const char*>& param) {
  std::string name = std::string("podman_") + param.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Versions, DiscoverRecorded, testing::Values("4.3.1", "5.4.2", "5.8.6"), test_name);

class DiscoverPlayed : public Discover, public testing::WithParamInterface<const char*> {};

// A pod with two containers and a deployment, through `podman kube play`; and a pod by hand is none of these.
TEST_P(DiscoverPlayed, containers_of_kube_play_have_their_names_in_its_yaml) {
  recorded(GetParam(), "", "kube");
  const Inventory inventory = found();
  const Container* web = by_name(inventory, "shop-web");
  ASSERT_NE(web, nullptr);
  EXPECT_EQ(web->kubernetes, (model::KubeName{"", "shop", "web"}));
  EXPECT_EQ(web->labels.at("app"), "shop") << "the pod's labels are on its containers";
  // What a deployment's pod is called depends on podman's version.
  const bool old = std::string(GetParam()) == "4.3.1";
  const Container* server = by_name(inventory, old ? "api-pod-0-srv" : "api-pod-srv");
  ASSERT_NE(server, nullptr);
  EXPECT_EQ(server->kubernetes, (model::KubeName{"", old ? "api-pod-0" : "api-pod", "srv"}));
  for (const Container& c : inventory.containers) EXPECT_FALSE(c.infra && !c.kubernetes.container.empty());
}

TEST_P(DiscoverPlayed, a_pod_made_by_hand_has_none) {
  recorded(GetParam());
  for (const Container& c : found().containers) EXPECT_EQ(c.kubernetes, model::KubeName{}) << c.name;
}

INSTANTIATE_TEST_SUITE_P(Versions, DiscoverPlayed, testing::Values("4.3.1", "5.4.2"), test_name);

TEST_F(Discover, all_adds_the_stopped_ones) {
  recorded("5.4.2");
  const Inventory inventory = found(20s, true);
  EXPECT_EQ(inventory.containers.size(), 12U);
  const Container* created = by_name(inventory, "created");
  ASSERT_NE(created, nullptr);
  EXPECT_FALSE(created->alive());
  EXPECT_EQ(created->kind, NetworkKind::bridge);
  EXPECT_EQ(created->netns_path, "");
}

TEST_F(Discover, podman_is_asked_locally_and_once_for_all_containers) {
  const ScopedEnv host("CONTAINER_HOST", "ssh://elsewhere");
  const ScopedEnv connection("CONTAINER_CONNECTION", "elsewhere");
  recorded("5.4.2", "echo \"${CONTAINER_HOST-unset} ${CONTAINER_CONNECTION-unset}\" >>$dir/env");
  (void)found();
  const std::string calls = test::slurp(tree_.path() + "/calls");
  EXPECT_EQ(std::count(calls.begin(), calls.end(), '\n'), 4) << calls;
  EXPECT_EQ(calls.rfind("--remote=false ps -a --pod --ns --format json\n", 0), 0U) << calls;
  EXPECT_THAT(calls, HasSubstr("--remote=false network inspect mv na nb podman\n"));
  EXPECT_THAT(test::slurp(tree_.path() + "/env"), HasSubstr("unset unset\n"));
}

TEST_F(Discover, no_networks_no_network_inspect) {
  podman("echo \"$*\" >>$dir/calls; echo '[]'");
  const Inventory inventory = found();
  EXPECT_TRUE(inventory.problems.empty());
  const std::string calls = test::slurp(tree_.path() + "/calls");
  EXPECT_EQ(std::count(calls.begin(), calls.end(), '\n'), 1) << calls;
}

TEST_F(Discover, a_hanging_podman_is_given_up_at_the_deadline) {
  podman("exec sleep 1000");
  const auto start = std::chrono::steady_clock::now();
  const Inventory inventory = found(300ms);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  expect_only_seen(inventory, "did not answer within");
}

TEST_F(Discover, a_stopped_podman_is_given_up_at_the_deadline) {
  podman("kill -STOP $$");
  expect_only_seen(found(300ms), "did not answer within");
}

TEST_F(Discover, a_killed_podman_is_a_problem) {
  podman("kill -KILL $$");
  expect_only_seen(found(), "killed by signal 9");
}

TEST_F(Discover, a_failing_podman_is_a_problem) {
  podman("echo 'Error: database is locked' >&2; exit 125");
  expect_only_seen(found(), "failed with exit code 125");
}

TEST_F(Discover, garbage_is_a_problem) {
  podman("printf 'panic: \\033[2J\\nrunning'");
  expect_only_seen(found(), "not JSON");
}

TEST_F(Discover, nothing_printed_is_a_problem) {
  podman("exit 0");
  expect_only_seen(found(), "empty answer");
}

TEST_F(Discover, ten_megabytes_of_json_are_a_problem) {
  podman("echo '['; yes '{\"Id\":\"aaaaaaaaaaaa\"},' | head -c 10485760; echo 'null]'");
  expect_only_seen(found(), "printed more than");
}

TEST_F(Discover, a_missing_podman_is_a_problem) {
  const ScopedEnv path("PATH", tree_.path().c_str());
  if (::access("/usr/sbin/podman", X_OK) == 0 || ::access("/sbin/podman", X_OK) == 0) {
    GTEST_FAIL() << "podman lies in /usr/sbin, which is always searched";
  }
  expect_only_seen(found(), "not installed");
}

TEST_F(Discover, a_user_without_storage_is_not_given_any) {
  const std::string conf =
      tree_.write("other.conf", "[storage]\ngraphroot = \"" + tree_.path() + "/none\"\n");
  const ScopedEnv env("CONTAINERS_STORAGE_CONF", conf.c_str());
  podman("touch $dir/was-called");
  const Inventory inventory = found();
  EXPECT_NE(::access((tree_.path() + "/was-called").c_str(), F_OK), 0);
  EXPECT_TRUE(inventory.problems.empty());
  EXPECT_EQ(inventory.containers.size(), 1U);
}

TEST_F(Discover, a_failing_inspect_leaves_what_ps_and_conmon_say) {
  recorded("5.4.2", "case \"$*\" in *'inspect --type'*) echo '{}garbage'; exit 0;; esac");
  const Inventory inventory = found();
  ASSERT_EQ(inventory.problems.size(), 1U);
  EXPECT_THAT(inventory.problems[0].what, HasSubstr("podman inspect"));
  EXPECT_EQ(inventory.containers.size(), 10U);
  const Container* range = by_name(inventory, "range");
  ASSERT_NE(range, nullptr);
  EXPECT_TRUE(range->alive());
  EXPECT_EQ(range->conmon_pid, 163) << "as conmon's own command line shows";
  EXPECT_EQ(range->ports.size(), 2U);
  EXPECT_THAT(range->networks.at(0).addresses, testing::Contains("10.88.0.2/16"));
  ASSERT_EQ(inventory.pods.size(), 1U);
  EXPECT_EQ(inventory.pods[0].name, "shop");
  EXPECT_EQ(inventory.pods[0].members.size(), 2U);
}

TEST_F(Discover, a_hanging_inspect_is_one_problem_within_the_deadline) {
  recorded("5.4.2", "case \"$*\" in *'inspect --type'*) exec sleep 1000;; esac");
  const Inventory inventory = found(1500ms);
  ASSERT_EQ(inventory.problems.size(), 1U);
  EXPECT_EQ(inventory.containers.size(), 10U);
}

TEST_F(Discover, a_container_that_vanished_before_inspect_is_kept_without_process) {
  // podman prints what it found and ends with 125.
  recorded("5.4.2", "case \"$*\" in *'inspect --type'*) echo '[]'; exit 125;; esac");
  EXPECT_TRUE(found().problems.empty());
}

TEST_F(Discover, a_stale_pid_is_no_process) {
  recorded("5.4.2");
  proc_.process(165, "other", 1);  // the numbers now belong to somebody else
  proc_.process(163, "other", 1);
  const Inventory inventory = found();
  const Container* range = by_name(inventory, "range");
  ASSERT_NE(range, nullptr);
  EXPECT_FALSE(range->alive());
  EXPECT_EQ(range->netns, 0U);
  ASSERT_EQ(inventory.problems.size(), 1U);
  EXPECT_THAT(inventory.problems[0].what, HasSubstr("'range' running, but its process is gone"));
}

TEST_F(Discover, what_ends_while_podman_is_asked_is_no_problem) {
  recorded("5.4.2");
  proc_.process(165, "other", 1);  // its conmon is still there, and will tell podman
  const Inventory inventory = found();
  EXPECT_FALSE(by_name(inventory, "range")->alive());
  EXPECT_EQ(by_name(inventory, "range")->state, "exited");
  EXPECT_TRUE(inventory.problems.empty());
}

TEST_F(Discover, a_zombie_is_no_process) {
  recorded("5.4.2");
  proc_.process(165, "sleep", 163, "165\t1", 'Z');
  EXPECT_FALSE(by_name(found(), "range")->alive());
}

TEST_F(Discover, equal_states_compare_equal) {
  recorded("5.8.6");
  EXPECT_TRUE(found().same_state(found()));
}

}  // namespace
}  // namespace podshark::discover
