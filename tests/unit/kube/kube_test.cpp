// SPDX-License-Identifier: GPL-2.0-or-later
// Words of kubectl 1.20 and 1.32 against Kubernetes 1.20.2, as recorded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <poll.h>
#include <unistd.h>

#include <sstream>

#include "extcap/kube/capture.h"
#include "extcap/kube/kubectl.h"
#include "extcap/kube/pod_name.h"
#include "extcap/kube/pods.h"
#include "extcap/kube/probe.h"
#include "extcap/kube/ways.h"
#include "extcap/remote/channel.h"
#include "podman/api/parse_kube.h"
#include "tests/unit/temp_tree.h"

namespace podshark::extcap::kube {
namespace {

using model::KubePod;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;
using Kind = StreamWays::Step::Kind;

std::vector<KubePod> recorded() {
  return api::parse_kube_pods(test::slurp(std::string(PODSHARK_FIXTURES) + "/kube-1.20.2/pods.json"))->items;
}

std::vector<std::string> names(const std::vector<KubePod>& pods) {
  std::vector<std::string> out;
  for (const KubePod& pod : pods) out.push_back(pod.name.substr(0, 8));
  return out;
}

TEST(NodeFilter, leaves_a_pod_in_its_nodes_network_its_ports) {
  KubePod pod;
  pod.name = "hostly";
  pod.name_space = "store";
  EXPECT_EQ(*node_filter(pod, "icmp", false), "icmp");
  EXPECT_EQ(*node_filter(pod, "", false), "");
  pod.host_network = true;
  EXPECT_EQ(node_filter(pod, "", false).error().kind, ErrorKind::unsupported);
  EXPECT_EQ(*node_filter(pod, "port 9100", false), "port 9100");
  pod.containers.emplace_back().ports.push_back({"", 0, 9100, 1, "tcp"});
  EXPECT_EQ(*node_filter(pod, "", false), "tcp port 9100");
  EXPECT_EQ(*node_filter(pod, "host 10.0.0.1", false), "(tcp port 9100) and (host 10.0.0.1)");
  EXPECT_EQ(*node_filter(pod, "host 10.0.0.1", true), "host 10.0.0.1");
  EXPECT_FALSE(node_filter(pod, " ", true));
}

TEST(PodName, forms) {
  const auto pod = parse_pod_name("kube://store/shop");
  ASSERT_TRUE(pod);
  EXPECT_EQ(*pod, (PodName{{}, "store", "shop", {}, {}, {}, {}}));
  EXPECT_EQ(parse_pod_name("kube://store/shop/web")->container, "web");
  const auto owner = parse_pod_name("kube://store/deployment/api");
  EXPECT_EQ(owner->owner_kind + " " + owner->owner, "deployment api");
  EXPECT_EQ(parse_pod_name("kube://store/label=app=web,example.com/tier!=db")->selector,
            "app=web,example.com/tier!=db");
  // A context may hold nearly anything.
  const auto there = parse_pod_name("kube://arn:aws:eks:eu-west-1:7:cluster/prod@store/shop");
  ASSERT_TRUE(there);
  EXPECT_EQ(there->cluster.context, "arn:aws:eks:eu-west-1:7:cluster/prod");
  EXPECT_EQ(parse_pod_name("kube://me@lab@store/shop")->cluster.context, "me@lab");
  for (const char* text :
       {"kube://store/shop", "kube://c@store/shop/web", "kube://store/job/x", "kube://s/label=a=b"})
    EXPECT_EQ(to_string(*parse_pod_name(text)), text);
}

TEST(PodName, what_kubectl_could_take_for_an_option_is_refused) {
  for (const char* text :
       {"kube://", "kube://store", "kube:///shop", "kube://store/", "kube://store/-o", "kube://--all/x",
        "kube://store/shop/--", "kube://store/Shop", "kube://store/a/b/c",
        "kube://store/label=", "kube://store/label=--x", "kube://store/label=a;b", "kube://@store/shop",
        "kube://a\nb@store/shop", "kube://store/deployment/", "kube://store/shop web", "ssh://a/b"}) {
    const auto name = parse_pod_name(text);
    ASSERT_FALSE(name) << text;
    EXPECT_EQ(name.error().kind, ErrorKind::usage);
  }
}

TEST(PodName, chooses_pods) {
  const auto pods = recorded();
  const auto chosen_by = [&](const char* text) { return names(chosen(*parse_pod_name(text), pods)); };
  EXPECT_THAT(chosen_by("kube://store/shop"), ElementsAre("shop"));
  EXPECT_THAT(chosen_by("kube://store/sho*"), ElementsAre("shop"));
  EXPECT_THAT(chosen_by("kube://store/deployment/api"), ElementsAre("api-df7d", "api-df7d"));
  EXPECT_TRUE(chosen_by("kube://store/daemonset/api").empty());
  EXPECT_TRUE(chosen_by("kube://other/shop").empty());
  EXPECT_FALSE(names_several(*parse_pod_name("kube://store/shop/web")));
  EXPECT_TRUE(names_several(*parse_pod_name("kube://store/*")));
}

TEST(Kubectl, words) {
  EXPECT_THAT(kubectl_words({}, {"get", "pods"}), ElementsAre("kubectl", "get", "pods"));
  EXPECT_THAT(kubectl_words({"a b;c"}, {"get"}), ElementsAre("kubectl", "--context=a b;c", "get"));
}

struct Said {
  const char* words;
  ErrorKind kind;
  std::vector<const char*> told;
};

TEST(Kubectl, each_refusal_is_one_line_that_says_what_to_do) {
  const std::vector<Said> all{
      {"Error from server (Forbidden): pods is forbidden: User \"user\" cannot list resource \"pods\" in API "
       "group \"\" "
       "in the namespace \"store\"",
       ErrorKind::permission,
       {"user 'user' may not list pods in namespace 'store'", "get and list on pods",
        "kubectl create role podshark --verb=get,list --resource=pods -n store && "
        "kubectl create rolebinding podshark --role=podshark --user=user -n store"}},
      {"Error from server (Forbidden): pods is forbidden: User \"user\" cannot list resource \"pods\" in API "
       "group \"\" at "
       "the cluster scope",
       ErrorKind::permission,
       {"may not list pods in all namespaces",
        "kubectl create clusterrole podshark --verb=get,list --resource=pods && "
        "kubectl create clusterrolebinding podshark --clusterrole=podshark --user=user"}},
      {"Error from server (Forbidden): pods is forbidden: User \"CN=a b;c\" cannot list resource \"pods\" in "
       "API group \"\" in the namespace \"store\"",
       ErrorKind::permission,
       {"--user='CN=a b;c' -n store"}},
      {"Error from server (Forbidden): pods \"shop\" is forbidden: User \"user\" cannot create resource "
       "\"pods/exec\" in API "
       "group \"\" in the namespace \"store\"",
       ErrorKind::permission,
       {"may not create pods/exec in namespace 'store'", "get and create on pods/exec",
        "create role podshark-exec --verb=get,create"}},
      {"Error from server (NotFound): pods \"zzz\" not found", ErrorKind::not_found, {"zzz"}},
      {"Error in configuration: context was not found for specified context: zz",
       ErrorKind::usage,
       {"no such context"}},
      {"error: context \"zz\" does not exist", ErrorKind::usage, {"no such context"}},
      {"The connection to the server 127.0.0.1:6444 was refused - did you specify the right host or port?",
       ErrorKind::unreachable,
       {"not reachable", "KUBECONFIG"}},
      {"E1126 22:35:21.4 3133 memcache.go:265] \"Unhandled Error\" err=\"couldn't get current server API "
       "group list: Get "
       "\\\"https://127.0.0.1:6444/api?timeout=32s\\\": dial tcp 127.0.0.1:6444: connect: connection "
       "refused\"\n"
       "The connection to the server 127.0.0.1:6444 was refused - did you specify the right host or port?",
       ErrorKind::unreachable,
       {"(The connection to the server"}},
      {"Unable to connect to the server: dial tcp: lookup no.such.host: no such host",
       ErrorKind::unreachable,
       {"no such host"}},
      {"error: You must be logged in to the server (Unauthorized)", ErrorKind::permission, {"credentials"}},
      {"Error from server (BadRequest): pod pending does not have a host assigned",
       ErrorKind::not_running,
       {"does not run"}},
      {"error: cannot exec into a container in a completed pod; current phase is Failed",
       ErrorKind::not_running,
       {"has ended"}},
      {"Error from server (BadRequest): container zzz is not valid for pod shop",
       ErrorKind::not_found,
       {"no such container"}},
      {"", ErrorKind::internal, {"without a word"}}};
  for (const Said& said : all) {
    const Error error = kubectl_error({"lab"}, said.words);
    EXPECT_EQ(error.kind, said.kind) << said.words;
    EXPECT_EQ(error.line().find('\n'), std::string::npos);
    EXPECT_THAT(error.line(), HasSubstr("cluster 'lab'"));
    for (const char* words : said.told) EXPECT_THAT(error.line(), HasSubstr(words)) << said.words;
  }
}

TEST(Pods, become_an_inventory_whose_addresses_are_the_pods) {
  const model::Inventory inventory = inventory_of(recorded(), {"lab"}, false);
  EXPECT_EQ(inventory.host, "lab");
  const auto pod = std::find_if(inventory.pods.begin(), inventory.pods.end(),
                                [](const auto& p) { return p.name == "shop"; });
  ASSERT_NE(pod, inventory.pods.end());
  ASSERT_EQ(pod->members.size(), 3U);
  const model::Container* holder = inventory.by_id(pod->infra_id);
  ASSERT_NE(holder, nullptr);
  EXPECT_TRUE(holder->alive());
  EXPECT_EQ(holder->name, "shop");
  EXPECT_THAT(holder->networks.at(0).addresses, ElementsAre("10.244.0.7"));
  const model::Container* web = inventory.by_id(pod->members[1]);
  ASSERT_NE(web, nullptr);
  EXPECT_EQ(web->kubernetes, (model::KubeName{"store", "shop", "web"}));
  EXPECT_EQ(web->shares_with, holder->id);
  for (const auto& c : inventory.containers) EXPECT_TRUE(c.alive()) << c.name;
  EXPECT_GT(inventory_of(recorded(), {}, true).containers.size(), inventory.containers.size());
  EXPECT_THAT(target_of(recorded().back(), recorded().back().containers.front()).value,
              HasSubstr("kube:store/"));
}

TEST(Pods, table_is_safe_and_its_targets_can_be_typed) {
  std::ostringstream running, all;
  auto pods = recorded();
  pods[0].containers[0].image = "evil\x1b[31m\nimage";
  write_pods(running, pods, {"lab"}, false);
  write_pods(all, pods, {}, true);
  EXPECT_THAT(running.str(), HasSubstr("kube://lab@store/shop/web"));
  EXPECT_THAT(running.str(), HasSubstr("deployment/api"));
  EXPECT_THAT(running.str(), HasSubstr("host network"));
  EXPECT_THAT(running.str(), Not(HasSubstr("pending")));
  EXPECT_THAT(running.str(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(all.str(), HasSubstr("Pending (Unschedulable)"));
  std::ostringstream none;
  write_pods(none, {}, {}, false);
  EXPECT_THAT(none.str(), HasSubstr("No running pods"));
}

PodWays ways(std::vector<std::string> containers) {
  WaysRequest request;
  request.cluster = {"lab"};
  request.name_space = "store";
  request.pod = "shop";
  request.containers = std::move(containers);
  request.spec.filter = "port 80; rm -rf /";
  return PodWays(std::move(request));
}

const StreamWays::End kMissing{97, "podshark-found apk\ncommand terminated with exit code 97\n"};

TEST(PodWays, exec_of_tcpdump_words_only) {
  PodWays w = ways({"web"});
  const auto step = w.first();
  ASSERT_EQ(step.kind, Kind::stream);
  EXPECT_EQ(step.argv[0], "kubectl");
  EXPECT_THAT(step.argv, Contains("--context=lab"));
  EXPECT_THAT(step.argv, Contains("--namespace=store"));
  EXPECT_THAT(step.argv, Contains("--container=web"));
  EXPECT_THAT(step.argv, Contains("--immediate-mode"));
  EXPECT_EQ(step.argv.back(), "port 80; rm -rf /") << "one word";
  EXPECT_EQ(step.words, "through kubectl exec (tcpdump)");
  EXPECT_THAT(with_marker(step.argv), Contains("podshark-begins"));
}

TEST(PodWays, any_container_of_the_pod_will_do) {
  PodWays w = ways({"web", "dump"});
  (void)w.first();
  const auto second = w.after(kMissing);
  ASSERT_EQ(second.kind, Kind::stream);
  EXPECT_THAT(second.argv, Contains("--container=dump"));
  ASSERT_TRUE(w.before());
  EXPECT_THAT(w.before()->what, HasSubstr("'web' of pod 'store/shop' has neither tcpdump nor dumpcap"));
  const auto last = w.after(kMissing);
  ASSERT_EQ(last.kind, Kind::failed);
  EXPECT_THAT(last.error.line(), HasSubstr("'dump' of pod 'store/shop' has neither tcpdump nor dumpcap"));
}

TEST(PodWays, dumpcap_in_its_place) {
  PodWays w = ways({"web"});
  (void)w.first();
  const auto step = w.after({97, "podshark-found dumpcap\n"});
  EXPECT_EQ(step.words, "through kubectl exec (dumpcap)");
  EXPECT_EQ(w.after(kMissing).kind, Kind::failed);
}

TEST(PodWays, a_restricted_pod_is_explained) {
  PodWays w = ways({"main"});
  (void)w.first();
  const auto step = w.after(
      {1,
       "tcpdump: any: You don't have permission to perform this capture on that device\n(socket: Operation "
       "not permitted)\ncommand terminated with exit code 1\n"});
  ASSERT_EQ(step.kind, Kind::failed);
  EXPECT_EQ(step.error.kind, ErrorKind::permission);
  EXPECT_THAT(step.error.line(), HasSubstr("not root, or without NET_RAW, as in restricted pods"));
}

TEST(PodWays, an_image_without_a_shell_is_told_so) {
  PodWays w = ways({"main"});
  (void)w.first();
  const auto step = w.after(
      {1,
       "error: Internal error occurred: error executing command in container: failed to exec in container: "
       "failed to start exec \"ad5\": OCI runtime exec failed: exec failed: unable to start container "
       "process: exec: \"sh\": executable file not found in $PATH: unknown\n"});
  EXPECT_EQ(step.error.kind, ErrorKind::unsupported);
  EXPECT_THAT(step.error.line(), HasSubstr("has no shell"));
}

TEST(PodWays, what_the_server_refuses_is_not_tried_in_another_container) {
  PodWays w = ways({"web", "dump"});
  (void)w.first();
  const auto step =
      w.after({1,
               "Error from server (Forbidden): pods \"shop\" is forbidden: User \"u\" cannot create resource "
               "\"pods/exec\" in API group \"\" in the namespace \"store\"\n"});
  ASSERT_EQ(step.kind, Kind::failed);
  EXPECT_EQ(step.error.kind, ErrorKind::permission);
  EXPECT_THAT(step.error.line(), HasSubstr("get and create on pods/exec"));
}

TEST(PodWays, a_wrong_filter_and_a_wrong_link_are_the_tools_words) {
  PodWays w = ways({"web", "dump"});
  (void)w.first();
  EXPECT_EQ(w.after({1, "tcpdump: can't parse filter expression: syntax error\n"}).error.kind,
            ErrorKind::bad_filter);
  PodWays other = ways({"web", "dump"});
  (void)other.first();
  EXPECT_EQ(other.after({1, "tcpdump: eth9: No such device exists\n(No such device)\n"}).error.kind,
            ErrorKind::usage);
}

TEST(PodPort, forms) {
  const auto target = parse_pod_port("kube://c:1@store/shop:80");
  ASSERT_TRUE(target) << target.error().line();
  EXPECT_EQ(target->port, 80);
  EXPECT_EQ(target->pod, (PodName{{"c:1"}, "store", "shop", {}, {}, {}, {}}));
  for (const char* text :
       {"kube://store/shop", "kube://store/shop:0", "kube://store/shop:65536", "kube://store/shop:x",
        "kube://store/sh*:80", "kube://store/shop/web:80", "kube://store/label=a=b:80", "web:80"})
    EXPECT_FALSE(parse_pod_port(text)) << text;
}

TEST(PodProbe, what_kubectl_says_of_a_connection) {
  EXPECT_EQ(forward_failure(
                "E1126 22:35:21.4 3133 portforward.go:400] an error occurred forwarding 40217 -> 81: error "
                "forwarding port 81 to pod a1, uid : failed to dial 81: dial tcp4 127.0.0.1:81: connect: "
                "connection "
                "refused\n")
                .outcome,
            "refused");
  EXPECT_EQ(forward_failure("error: lost connection to pod\n").outcome, "failed");
}

WaysRequest with_agent(std::vector<std::string> containers) {
  WaysRequest request;
  request.name_space = "store";
  request.pod = "shop";
  request.containers = std::move(containers);
  request.agent = [](const std::string& machine) -> Result<std::string> {
    if (machine == "x86_64") return std::string("PACKED");
    return Error{ErrorKind::not_found, "there is no podshark-agent for " + machine, {}};
  };
  return request;
}

const StreamWays::End kMissingThere{97, "podshark-machine x86_64\ncommand terminated with exit code 97\n"};

TEST(PodWays, the_agent_is_sent_when_no_container_has_a_tool) {
  PodWays w{with_agent({"web", "db"})};
  (void)w.first();
  EXPECT_THAT(w.after(kMissingThere).argv, Contains("--container=db"));
  const auto step = w.after(kMissingThere);
  ASSERT_EQ(step.kind, Kind::stream);
  EXPECT_THAT(step.argv, Contains("--container=web"));
  EXPECT_THAT(step.argv, Contains("self"));
  EXPECT_EQ(step.input, "UEFDS0VE\n") << "base64 of what agent_file() has";
  EXPECT_THAT(step.words, HasSubstr("sent into container 'web'"));
  // No directory for it there: the other one.
  EXPECT_THAT(w.after({98, "podshark-agent: no directory there takes programs\n"}).argv,
              Contains("--container=db"));
  const auto last = w.after({98, "podshark-agent: no directory there takes programs\n"});
  EXPECT_EQ(last.kind, Kind::failed);
  EXPECT_THAT(last.error.line(), HasSubstr("--agent-image"));
}

TEST(PodWays, there_is_no_agent_for_every_machine) {
  PodWays w{with_agent({"web"})};
  (void)w.first();
  const auto step = w.after({97, "podshark-machine riscv64\n"});
  EXPECT_EQ(step.kind, Kind::failed);
  EXPECT_THAT(step.error.line(), HasSubstr("no podshark-agent for riscv64"));
}

TEST(PodWays, an_ephemeral_container_is_made_waited_for_and_run_in) {
  WaysRequest request = with_agent({"web"});
  request.image = "registry/agent:1";
  request.ephemeral = "podshark-agent";
  PodWays w(request);
  (void)w.first();
  const auto debug =
      w.after({1, "error: OCI runtime exec failed: exec: \"sh\": executable file not found in $PATH\n"});
  ASSERT_EQ(debug.kind, Kind::command);
  EXPECT_THAT(debug.argv, Contains("--image=registry/agent:1"));
  EXPECT_THAT(debug.argv, Contains("idle"));
  const auto wait = w.after({0, ""});
  ASSERT_EQ(wait.kind, Kind::command);
  const auto stream = w.after({0, ""});
  ASSERT_EQ(stream.kind, Kind::stream);
  EXPECT_THAT(stream.argv, Contains("--container=podshark-agent"));
  EXPECT_THAT(stream.argv, Contains("/podshark-agent"));
  // One that idles already needs only the last step.
  request.idles = true;
  PodWays again(request);
  (void)again.first();
  EXPECT_EQ(
      again.after({1, "error: OCI runtime exec failed: exec: \"sh\": executable file not found\n"}).argv,
      stream.argv);
}

TEST(PodWays, a_missing_right_for_ephemeral_containers_is_named) {
  WaysRequest request = with_agent({"web"});
  request.image = "registry/agent:1";
  request.ephemeral = "podshark-agent";
  PodWays w(request);
  (void)w.first();
  (void)w.after({1, "error: OCI runtime exec failed: exec: \"sh\": executable file not found\n"});
  const auto step =
      w.after({1,
               "Error from server (Forbidden): pods \"shop\" is forbidden: User \"u\" cannot patch resource "
               "\"pods/ephemeralcontainers\" in API group \"\" in the namespace \"store\"\n"});
  ASSERT_EQ(step.kind, Kind::failed);
  EXPECT_THAT(step.error.line(), HasSubstr("may not patch pods/ephemeralcontainers"));
  EXPECT_THAT(step.error.line(), HasSubstr("has no shell"));
}

const std::string kId(64, 'a');
NodePod node_pod() {
  return {"registry/tools:1", "ops", "podshark-node-1a2b3c4d", "node1", kId};
}

TEST(NodePod, is_privileged_on_that_node_and_ends_by_itself) {
  const auto json = node_pod_json(node_pod());
  ASSERT_TRUE(json) << json.error().line();
  for (const char* words :
       {R"("nodeName":"node1")", R"("hostPID":true)", R"("privileged":true)", R"("restartPolicy":"Never")",
        R"("activeDeadlineSeconds":86400)", R"("image":"registry/tools:1")", R"("namespace":"ops")",
        R"("app.kubernetes.io/managed-by":"podshark")", R"("automountServiceAccountToken":false)",
        "idle + 1)); for f in"})
    EXPECT_THAT(*json, HasSubstr(words));
  EXPECT_EQ(json->find('\n'), std::string::npos) << "it is one line of stdin";
}

TEST(NodePod, is_not_made_of_what_is_no_name) {
  for (const char* image : {"", "-x", "a b", "a\"b", "a;b", "$(id)", "a\nb", "image:"}) {
    NodePod pod = node_pod();
    pod.image = image;
    EXPECT_FALSE(node_pod_json(pod)) << image;
  }
  EXPECT_TRUE(is_image_name("registry.example:5000/a/B_c@sha256:00ff"));
  NodePod pending = node_pod();
  pending.node.clear();
  EXPECT_EQ(node_pod_json(pending).error().kind, ErrorKind::not_running);
  NodePod created = node_pod();
  created.container_id.clear();
  EXPECT_EQ(node_pod_json(created).error().kind, ErrorKind::not_running);
}

const StreamWays::End kRefusedThere{
    1, "tcpdump: any: You don't have permission to perform this capture on that device\n"};

PodWays by_node(int* made) {
  WaysRequest request = with_agent({"web"});
  request.node = node_pod();
  request.node.made = [made] { ++*made; };
  return PodWays{request};
}

TEST(PodWays, the_node_pod_comes_last_and_is_made_waited_for_and_entered) {
  int pods = 0;
  PodWays w = by_node(&pods);
  EXPECT_THAT(w.first().argv, Contains("--container=web"));
  EXPECT_EQ(pods, 0);
  const auto make = w.after(kRefusedThere);
  ASSERT_EQ(make.kind, Kind::command);
  EXPECT_EQ(pods, 1) << "from now on it is to be removed";
  EXPECT_THAT(make.argv, Contains("--namespace=ops"));
  EXPECT_EQ(make.input, *node_pod_json(node_pod()) + "\n");
  EXPECT_THAT(make.words, HasSubstr("privileged pod 'ops/podshark-node-1a2b3c4d' of image registry/tools:1"));
  const auto wait = w.after({0, ""});
  ASSERT_EQ(wait.kind, Kind::command);
  EXPECT_THAT(wait.argv, Contains("podshark-node-1a2b3c4d"));
  const auto tool = w.after({0, ""});
  ASSERT_EQ(tool.kind, Kind::stream);
  for (const char* word : {"--namespace=ops", "podshark-node-1a2b3c4d", "tcpdump", kId.c_str()})
    EXPECT_THAT(tool.argv, Contains(word));
  EXPECT_EQ(tool.words, "through kubectl exec (tcpdump in node pod 'podshark-node-1a2b3c4d')");
  EXPECT_THAT(w.before()->what, HasSubstr("as in restricted pods"));
  const auto sent = w.after(kMissingThere);
  ASSERT_EQ(sent.kind, Kind::stream);
  EXPECT_EQ(sent.input, "UEFDS0VE\n");
  EXPECT_THAT(sent.argv, Contains(kId));
  EXPECT_THAT(sent.words, HasSubstr("sent into node pod 'podshark-node-1a2b3c4d'"));
  EXPECT_THAT(w.error_of({kNoProcess, ""}).line(), HasSubstr("finds no process of it on node 'node1'"));
  EXPECT_THAT(w.error_of({kNoEnter, ""}).line(), HasSubstr("image 'registry/tools:1' has no nsenter"));
  EXPECT_THAT(w.error_of({143, ""}).line(), HasSubstr("pod 'store/shop', or node pod"));
}

TEST(PodWays, the_node_pod_is_refused_in_one_line) {
  int pods = 0;
  PodWays w = by_node(&pods);
  (void)w.first();
  (void)w.after(kRefusedThere);
  const auto rights = w.after(
      {1,
       "Error from server (Forbidden): error when creating \"STDIN\": pods is forbidden: User \"u\" cannot "
       "create resource \"pods\" in API group \"\" in the namespace \"ops\"\n"});
  ASSERT_EQ(rights.kind, Kind::failed);
  EXPECT_THAT(rights.error.line(), HasSubstr("user 'u' may not create pods in namespace 'ops'"));
  EXPECT_THAT(rights.error.line(), HasSubstr("create, get and delete on pods"));
  const std::string words =
      "Error from server (Forbidden): error when creating \"STDIN\": pods \"podshark-node-1a2b3c4d\" is "
      "forbidden: violates PodSecurity \"baseline:latest\": host namespaces (hostPID=true), privileged "
      "(container \"podshark\" must not set securityContext.privileged=true)\n";
  const auto security = w.error_of({1, words});
  EXPECT_EQ(security.kind, ErrorKind::permission);
  EXPECT_THAT(security.line(), HasSubstr("no privileged pod is allowed there"));
  EXPECT_THAT(security.line(), HasSubstr("--node-namespace NAME"));
  EXPECT_EQ(security.line().find('\n'), std::string::npos);
}

TEST(PodWays, without_an_ephemeral_container_there_still_is_the_node) {
  WaysRequest request = with_agent({"web"});
  request.image = "registry/agent:1";
  request.ephemeral = "podshark-agent";
  request.node = node_pod();
  PodWays w(request);
  (void)w.first();
  EXPECT_THAT(w.after(kRefusedThere).argv, Contains("--image=registry/agent:1"));
  const auto make = w.after({1, "error: ephemeral containers are disabled for this cluster\n"});
  ASSERT_EQ(make.kind, Kind::command);
  EXPECT_THAT(make.words, HasSubstr("privileged pod"));
}

remote::Line local(const std::vector<std::string>& argv) {
  remote::Line line;
  line.name = "pod store/shop";
  line.argv = with_marker(argv);
  line.answer = kAlive;
  line.silence = std::chrono::milliseconds(400);
  return line;
}

// Reads until `done`, with a beat every 100 ms, or for five seconds; what people would see of stderr.
template <typename Done>
std::string watched(remote::Channel& channel, std::string& said, Done done) {
  for (int i = 0; i < 50 && !done(); ++i) {
    pollfd waiting[2]{{channel.out(), POLLIN, 0}, {channel.errors(), POLLIN, 0}};
    channel.beat();
    if (::poll(waiting, 2, 100) <= 0) continue;
    if (waiting[0].revents != 0) channel.read_output();
    if (waiting[1].revents != 0) channel.read_errors();
    if (i > 0) ::usleep(50'000);
  }
  EXPECT_TRUE(done());
  return said;
}

TEST(CutLine, silence_is_one_only_after_an_answer) {
  std::string said;
  const auto open = [&](const char* script) {
    return remote::Channel::open(local({"sh", "-c", script}),
                                 {.output = [](auto) {}, .line = [&](const auto& l) { said += l + "\n"; }});
  };
  auto answers = open("printf wor >&2; echo podshark-alive >&2; echo ds >&2; exec sleep 20");
  ASSERT_TRUE(answers);
  EXPECT_EQ(watched(*answers, said, [&] { return answers->silent(); }), "words\n");
  EXPECT_EQ(answers->lost().kind, ErrorKind::unreachable);
  EXPECT_THAT(answers->lost().what, HasSubstr("the connection to pod store/shop was lost: nothing has come"));
  answers->excuse();
  EXPECT_FALSE(answers->silent());
  auto mute = open("exec sleep 20");
  ASSERT_TRUE(mute);
  (void)watched(*mute, said, [&] { return mute->began(); });
  ::usleep(500'000);
  EXPECT_FALSE(mute->silent());
  mute->expect_answers();
  EXPECT_TRUE(mute->silent());
}

TEST(CutLine, a_lease_answers_beats_and_passes_the_exit_code_on) {
  std::string said;
  auto channel =
      remote::Channel::open(local(leased({"sh", "-c", "sleep 1; echo end >&2; exit 7"}, Lease::beats)),
                            {.output = [](auto) {}, .line = [&](const auto& l) { said += l + "\n"; }});
  ASSERT_TRUE(channel);
  bool silent = false;
  const auto ended = [&] {
    silent = silent || channel->silent();
    return channel->ended();
  };
  EXPECT_EQ(watched(*channel, said, ended), "end\n");
  EXPECT_FALSE(silent) << "it answered";
  const auto code = channel->finish();
  ASSERT_TRUE(code) << code.error().line();
  EXPECT_EQ(*code, 7);
}

TEST(PodWays, options_that_need_the_pods_machine_are_named) {
  SessionOptions options;
  EXPECT_TRUE(possible_in_pods(options));
  options.roster.wait = true;
  EXPECT_THAT(possible_in_pods(options).error().what, HasSubstr("--wait"));
}

}  // namespace
}  // namespace podshark::extcap::kube
