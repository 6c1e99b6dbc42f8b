// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/far_ways.h"

#include <gmock/gmock.h>

#include "extcap/capture/method.h"
#include "extcap/remote/far_run.h"
#include "extcap/remote/sharing.h"
#include "tests/unit/temp_tree.h"

namespace podshark::extcap::remote {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const FarHost kHost{"server", "server"};
constexpr const char* kId = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

std::string answer(const std::string& more) {
  return "\npodshark-part machine\nx86_64\n\npodshark-part user\n1000\n\npodshark-part host\nfar\n"
         "\npodshark-part carrier\n192.0.2.1 40000 192.0.2.2 22\n\npodshark-part tools\npodman\nnsenter\n"
         "\n" +
         more + "\npodshark-part clock\n1700000000000000001\n\npodshark-part end\n";
}

std::string ps(const char* name, const char* state, int pid) {
  return std::string("[{\"Id\":\"") + kId + "\",\"Names\":[\"" + name +
         "\"],\"Image\":\"nginx\",\"State\":\"" + state + "\",\"Pid\":" + std::to_string(pid) + "}]\n";
}

TEST(Survey, reads_what_there_is) {
  const auto facts = read_survey(kHost, answer("podshark-part own-ps\n" + ps("web", "running", 42)), false);
  ASSERT_TRUE(facts);
  EXPECT_EQ("x86_64", facts->machine);
  EXPECT_EQ(1000U, facts->uid);
  EXPECT_EQ("far", facts->inventory.host);
  EXPECT_EQ(1700000000000000001, facts->clock_ns);
  ASSERT_EQ(1U, facts->inventory.containers.size());
  const model::Container& c = facts->inventory.containers.front();
  EXPECT_EQ("web", c.name);
  EXPECT_EQ(42, c.pid);
  EXPECT_EQ(1000U, c.owner);
  ASSERT_EQ(1U, facts->inventory.problems.size()) << "rootful ones are not seen";
  EXPECT_THAT(facts->inventory.problems.front().what, HasSubstr("rootful containers of server"));
}

TEST(Survey, roots_containers_are_roots) {
  const auto facts = read_survey(
      kHost, answer("podshark-part root-ps\n" + ps("db", "running", 43) + "podshark-part elevate\nsudo\n"),
      false);
  ASSERT_TRUE(facts);
  EXPECT_EQ("sudo", facts->elevate);
  EXPECT_EQ(0U, facts->inventory.containers.at(0).owner);
  EXPECT_TRUE(facts->inventory.problems.empty());
}

TEST(Survey, stopped_ones_only_when_asked_for) {
  const std::string text = answer("podshark-part own-ps\n" + ps("old", "exited", 0));
  EXPECT_TRUE(read_survey(kHost, text, false)->inventory.containers.empty());
  EXPECT_EQ(1U, read_survey(kHost, text, true)->inventory.containers.size());
}

TEST(Survey, that_can_not_be_used_is_told) {
  EXPECT_EQ(ErrorKind::unsupported, read_survey(kHost, "Welcome to the router\n", false).error().kind);
  std::string none = answer("");
  none.replace(none.find("podman\n"), 7, "");
  EXPECT_EQ(ErrorKind::no_podman, read_survey(kHost, none, false).error().kind);
  const auto ill = read_survey(kHost, answer("podshark-part own-error\nError: no such thing\n"), false);
  EXPECT_EQ(ErrorKind::no_podman, ill.error().kind);
  EXPECT_THAT(ill.error().what, HasSubstr("no such thing"));
}

// The script of a connection runs on this machine: names that the service tells must not be expanded.
TEST(Survey, only_what_podman_calls_networks_is_asked_about) {
  const test::TempTree tree;
  tree.write("podman",
             "#!/bin/sh\nshift 2\ncase $* in\n*info*) echo amd64 true far ;;\n'network ls'*) "
             "printf '%s\\n' '/*' -x --format good_1.2 'a b' ;;\n'network inspect'*) echo \"$@\" >" +
                 tree.path() + "/asked ;;\n*json) echo '[{\"Id\": \"" + kId + "\"}]' ;;\nesac\n",
             /* executable= */ true);
  const test::ScopedEnv path("PATH", (tree.path() + ":" + std::getenv("PATH")).c_str());
  const FarHost host{.destination = "", .name = "podman://evil", .connection = "evil"};
  const auto text = script_output(host, survey_script("evil"), std::chrono::milliseconds{20'000});
  ASSERT_TRUE(text) << text.error().line();
  EXPECT_EQ("network inspect good_1.2\n", test::slurp(tree.path() + "/asked")) << *text;
}

struct Case {
  FarFacts facts;
  Target target;
  SessionOptions options;
  AgentFile agent{"", "no agent"};
  std::string why_not;

  Case() {
    facts.machine = "x86_64";
    facts.uid = 1000;
    facts.tools = {"podman", "nsenter", "tcpdump"};
    facts.carrier = "192.0.2.1 40000 192.0.2.2 22";
    target.container.id = kId;
    target.container.name = "web";
    target.container.pid = 42;
    target.container.owner = 1000;
    target.container.rootless = true;
    target.chosen = target.container;
  }
  void rootful() { target.container.owner = target.chosen.owner = 0; }
  Result<StreamRequest> request(const char* link = "any") {
    return far_request(kHost, facts, target, options, link, agent, &why_not);
  }
};

TEST(FarRequest, of_ones_own_container_enters_through_podman) {
  Case c;
  const auto request = c.request();
  ASSERT_TRUE(request);
  EXPECT_THAT(request->enter,
              ElementsAre("podman", "--remote=false", "unshare", "nsenter", "-t", "42", "-n"));
  EXPECT_TRUE(request->elevate.empty());
  EXPECT_TRUE(request->agent.empty());
  EXPECT_EQ("no agent", c.why_not);
  EXPECT_TRUE(request->exec);
}

TEST(FarRequest, of_a_rootful_one_needs_root) {
  Case c;
  c.rootful();
  EXPECT_EQ(ErrorKind::permission, c.request().error().kind);
  c.facts.elevate = "sudo";
  EXPECT_THAT(c.request()->enter, ElementsAre("sudo", "-n", "nsenter", "-t", "42", "-n"));
  EXPECT_THAT(c.request()->elevate, ElementsAre("sudo", "-n"));
  c.facts.elevate.clear();
  c.facts.uid = 0;
  EXPECT_THAT(c.request()->enter, ElementsAre("nsenter", "-t", "42", "-n"));
}

TEST(FarRequest, of_the_host_network_leaves_our_connection_out) {
  Case c;
  c.facts.uid = 0;
  c.rootful();
  c.target.container.kind = model::NetworkKind::host;
  c.options.link.filter = "icmp";
  const auto request = c.request();
  ASSERT_TRUE(request);
  EXPECT_THAT(request->spec.filter, HasSubstr("not (host 192.0.2.1 and host 192.0.2.2 and tcp port 22)"));
  EXPECT_THAT(request->spec.filter, HasSubstr("(icmp)"));
  EXPECT_FALSE(request->exec);
}

TEST(Carrier, is_one_connection_or_all_of_a_capture_of_several_machines) {
  EXPECT_EQ("not (host 192.0.2.1 and tcp port 40000 and host 192.0.2.2 and tcp port 22)",
            without_carrier("192.0.2.1 40000 192.0.2.2 22"));
  EXPECT_EQ("not (host 192.0.2.1 and host 192.0.2.2 and tcp port 22)",
            without_carrier("192.0.2.1 40000 192.0.2.2 22 any-port"));
  for (const char* none : {"", " any-port", "192.0.2.1 40000 192.0.2.2 22 more", "192.0.2.1 40000 any-port"})
    EXPECT_EQ("", without_carrier(none)) << none;
}

TEST(FarRequest, with_an_agent_sends_it_with_compiled_filters) {
  Case c;
  c.agent = {"packed", ""};
  c.options.link.filter = "ip";
  const auto request = c.request("eth0");
  ASSERT_TRUE(request);
  EXPECT_EQ("", c.why_not);
  EXPECT_THAT(request->agent, Contains("cGFja2Vk"));
  EXPECT_THAT(request->agent, Contains(StartsWith("1:28000000")));  // ldh [12]
  EXPECT_EQ("42", request->agent.back());
  c.options.link.filter = "no such filter";
  EXPECT_EQ(ErrorKind::bad_filter, c.request().error().kind);
}

TEST(FarRequest, a_tool_that_was_asked_for_is_the_only_way) {
  Case c;
  c.agent = {"packed", ""};
  c.options.roster.methods.method = Method::exec;
  const auto request = c.request();
  EXPECT_TRUE(request->agent.empty() && request->enter.empty());
  EXPECT_TRUE(request->exec);
}

TEST(FarPlan, goes_from_the_agent_to_tcpdump_to_the_container) {
  Case c;
  c.agent = {"packed", ""};
  StreamPlan plan(*c.request());
  EXPECT_THAT(plan.first().words, HasSubstr("podshark-agent, sent to server"));
  StreamPlan::Step step = plan.after({98, "podshark-agent: no directory there takes programs\n"});
  EXPECT_EQ("through tcpdump of server in its network namespace", step.words);
  EXPECT_THAT(plan.before()->what, HasSubstr("no directory there"));
  step = plan.after({kNoTool, ""});
  EXPECT_EQ("through podman exec (tcpdump)", step.words);
  step = plan.after({kNoTool, ""});
  EXPECT_EQ(StreamPlan::Step::Kind::failed, step.kind);
  EXPECT_THAT(step.error.what, HasSubstr("has neither tcpdump nor dumpcap"));
  EXPECT_THAT(step.error.what, HasSubstr("neither tcpdump nor dumpcap is installed on server"));
  EXPECT_THAT(step.error.what, HasSubstr("no directory there"));
}

TEST(FarRequest, by_podmans_api_runs_the_agent_beside_the_container) {
  Case c;
  const FarHost machine{"", "podman://vm", {}, "vm"};
  EXPECT_EQ(ErrorKind::unsupported,
            far_request(machine, c.facts, c.target, c.options, "any", c.agent, &c.why_not).error().kind);
  c.agent = {"packed", "", "/agents/it.gz"};
  const auto request = far_request(machine, c.facts, c.target, c.options, "any", c.agent, &c.why_not);
  ASSERT_TRUE(request);
  EXPECT_THAT(request->agent, Contains("vm"));
  EXPECT_THAT(request->agent, Contains("ns:/proc/42/ns/net"));
  EXPECT_EQ("self", request->agent.back());
  EXPECT_TRUE(request->enter.empty() && !request->exec);
  const StreamPlan::Step step{.kind = StreamPlan::Step::Kind::stream, .argv = {"x"}};
  EXPECT_THAT(step_script(machine, step, c.target), Not(HasSubstr("/proc/42")));
  EXPECT_EQ("vm", parse_far_target("podman://vm/web")->host.connection);
  EXPECT_FALSE(parse_far_target("podman://-x/web"));
}

TEST(StepScript, looks_whether_it_is_still_the_same_process) {
  const Case c;
  StreamPlan::Step step{.kind = StreamPlan::Step::Kind::stream, .argv = {"echo", "it's"}};
  const std::string script = step_script(kHost, step, c.target);
  EXPECT_THAT(script, HasSubstr(kId));
  EXPECT_THAT(script, HasSubstr("[ -d /proc/42 ]"));
  EXPECT_THAT(script, HasSubstr("'echo' 'it'\\''s'"));
  step.kind = StreamPlan::Step::Kind::command;
  EXPECT_THAT(step_script(kHost, step, c.target), Not(HasSubstr("/proc/42")));
}

TEST(Sharing, is_left_to_who_has_settled_it) {
  EXPECT_FALSE(shares_already("host server\ncontrolmaster false\ncontrolpersist no\n"));
  EXPECT_FALSE(shares_already("controlpath none\n"));
  EXPECT_TRUE(shares_already("controlmaster auto\n"));
  EXPECT_TRUE(shares_already("controlpath /home/me/.ssh/%C\n"));
}

TEST(OnlyWithPodshark, names_the_option) {
  SessionOptions options;
  EXPECT_TRUE(only_with_podshark(kHost, options));
  options.drops = DropMode::on;
  EXPECT_THAT(only_with_podshark(kHost, options).error().what, HasSubstr("--drops needs podshark on server"));
}

}  // namespace
}  // namespace podshark::extcap::remote
