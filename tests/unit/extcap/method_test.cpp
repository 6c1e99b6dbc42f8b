// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/method.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "extcap/capture/stream_plan.h"
#include "extcap/capture/tool_words.h"

namespace podshark::extcap {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using Kind = StreamPlan::Step::Kind;

std::string words(const Argv& argv) {
  std::string out;
  for (const std::string& a : argv) {
    if (a.find('\n') == std::string::npos) out += (out.empty() ? "" : " ") + a;  // scripts apart
  }
  return out;
}

// ---- command lines --------------------------------------------------------------------------------------

TEST(ToolArgv, tcpdump_writes_each_packet_at_once_with_nanoseconds) {
  const StreamSpec spec{.link = "eth0",
                        .filter = "tcp port 80",
                        .snaplen = 96,
                        .promiscuous = false,
                        .buffer_bytes = 2U << 20U};
  EXPECT_EQ(
      words(tcpdump_argv(spec)),
      "tcpdump -Z root -n -U --immediate-mode --time-stamp-precision=nano -i eth0 -s 96 -B 2048 -p -w - "
      "-- tcp port 80");
  EXPECT_EQ(tcpdump_argv(spec).back(), "tcp port 80");  // one word, whatever is in it
  EXPECT_THAT(tcpdump_argv({}), AllOf(Contains("any"), Not(Contains("--")), Not(Contains("-p"))));
}

TEST(ToolArgv, dumpcap_writes_pcap) {
  const StreamSpec spec{.link = "any", .filter = "udp", .snaplen = 96, .promiscuous = false};
  EXPECT_EQ(words(dumpcap_argv(spec)), "dumpcap -q -P -i any -s 96 -B 8 -p -f udp -w -");
}

TEST(ExecArgv, gives_the_capabilities_that_podman_does_not) {
  EXPECT_EQ(words(exec_argv({}, "abc", {"tcpdump", "-w", "-"})),
            "podman --remote=false exec --privileged --user 0 -i abc sh -c podshark tcpdump -w -");
}

TEST(SidecarArgv, has_one_capability_and_no_tie_to_the_container) {
  SidecarSpec spec{.image = "localhost/x:1", .name = "side", .container_id = "abc", .pid = 42};
  EXPECT_EQ(words(sidecar_argv({}, spec, {"tcpdump", "-w", "-"})),
            "sh -c podshark podman --remote=false side --rm --pull never --log-driver none --no-healthcheck "
            "--network ns:/proc/42/ns/net --user 65534:65534 --cap-drop all --cap-add NET_RAW "
            "--entrypoint tcpdump localhost/x:1 -w -");
  spec.own_userns = true;
  EXPECT_THAT(words(sidecar_argv({}, spec, {"tcpdump"})), HasSubstr("--userns container:abc"));
}

TEST(Scripts, hold_no_value_of_the_caller) {
  const StreamSpec spec{.link = "$(touch /tmp/x)", .filter = "'; rm -rf /; '"};
  const Argv one = exec_argv({}, "abc", tcpdump_argv(spec));
  const Argv other = exec_argv({}, "abc", tcpdump_argv({}));
  ASSERT_EQ(one.at(9), "-c");
  EXPECT_EQ(one.at(10), other.at(10));
}

TEST(InstallArgvs, are_the_managers_own_and_touch_nothing_else) {
  const auto lines = [](const std::string& manager) {
    std::vector<std::string> out;
    for (const Argv& a : install_argvs({}, "abc", manager)) out.push_back(words(a));
    return out;
  };
  const std::string in = "podman --remote=false exec --user 0 --env DEBIAN_FRONTEND=noninteractive abc ";
  EXPECT_THAT(lines("apt-get"),
              ElementsAre(in + "apt-get update", in + "apt-get install -y --no-install-recommends tcpdump"));
  EXPECT_THAT(lines("apk"), ElementsAre(in + "apk add --no-cache tcpdump"));
  EXPECT_THAT(lines("dnf"), ElementsAre(in + "dnf install -y --setopt=install_weak_deps=False tcpdump"));
  EXPECT_THAT(lines("rm"), IsEmpty());
}

TEST(PodmanOf, own_containers_roots_socket_and_nobody_elses) {
  model::Container c;
  c.name = "web";
  c.owner = 1000;
  EXPECT_EQ(podman_of(c, 1000, false)->which, "--remote=false");
  EXPECT_EQ(podman_of(c, 0, true).error().kind, ErrorKind::unsupported);
  EXPECT_EQ(podman_of(c, 1001, true).error().kind, ErrorKind::permission);
  c.owner = 0;
  EXPECT_EQ(podman_of(c, 0, false)->which, "--remote=false");
  EXPECT_EQ(podman_of(c, 1000, true)->which, "--url=unix:///run/podman/podman.sock");
  EXPECT_EQ(podman_of(c, 1000, false).error().kind, ErrorKind::permission);
}

TEST(MethodNames, both_ways) {
  for (const char* name : {"auto", "netns", "exec", "sidecar"})
    EXPECT_STREQ(to_string(*read_method(name)), name);
  EXPECT_EQ(read_method("ssh").error().kind, ErrorKind::usage);
}

// ---- what programs say ----------------------------------------------------------------------------------

TEST(Complaint, is_the_line_that_tells_why) {
  EXPECT_EQ(complaint("tcpdump: data link type LINUX_SLL2\ntcpdump: listening on any, link-type X\n"
                      "5 packets captured\n5 packets received by filter\n0 packets dropped by kernel\n"),
            "");
  EXPECT_EQ(complaint("tcpdump: eth7: No such device exists\n(No such device exists)\n"),
            "tcpdump: eth7: No such device exists");
  EXPECT_EQ(complaint("dumpcap: cap_set_proc() fail return: Operation not permitted\nCapturing on 'lo'\n"
                      "dumpcap: You do not have permission to capture on device \"lo\".\n"
                      "(socket: Operation not permitted)\nPlease check\n"),
            "dumpcap: You do not have permission to capture on device \"lo\".");
  EXPECT_EQ(complaint("dumpcap: '-P' is deprecated; use '-F pcap' to set the output format to pcap.\n"
                      "Capturing on 'eth7'\ndumpcap: There is no device named \"eth7\".\n"),
            "dumpcap: There is no device named \"eth7\".");
  EXPECT_EQ(
      complaint(
          "time=\"x\" level=warning msg=\"y\"\nError: no container with name or ID \"x\" found: no such "
          "container\n"),
      "Error: no container with name or ID \"x\" found: no such container");
  EXPECT_EQ(complaint("evil\x1b[31m line\n"), "evil [31m line");
}

TEST(ComplaintKind, tells_what_to_do_next) {
  const std::pair<const char*, ErrorKind> cases[] = {
      {"Error: localhost/x:1: image not known", ErrorKind::not_found},
      {"Error: no container with name or ID \"x\" found: no such container", ErrorKind::gone},
      {"Error: can only create exec sessions on running containers: container state improper",
       ErrorKind::gone},
      {"Error: crun: executable file `sh` not found in $PATH: No such file or directory",
       ErrorKind::unsupported},
      {"tcpdump: eth7: No such device exists", ErrorKind::usage},
      {"dumpcap: There is no device named \"eth7\".", ErrorKind::usage},
      {"tcpdump: can't parse filter expression: syntax error", ErrorKind::bad_filter},
      {"tcpdump: ethernet addresses supported only on ethernet/FDDI", ErrorKind::bad_filter},
      {"tcpdump: lo: You don't have permission to perform this capture", ErrorKind::permission},
      {"tcpdump: Couldn't change to 'root' uid=0 gid=0: Operation not permitted", ErrorKind::permission},
      {"something else", ErrorKind::internal}};
  for (const auto& [text, kind] : cases) EXPECT_EQ(complaint_kind(text), kind) << text;
}

TEST(ReportedDrops, of_tcpdump_and_dumpcap) {
  EXPECT_EQ(
      reported_drops("9 packets captured\n12 packets received by filter\n3 packets dropped by kernel\n"), 3U);
  EXPECT_EQ(reported_drops("1 packet dropped by kernel\n2 packets dropped by interface\n"), 3U);
  EXPECT_EQ(reported_drops("Packets captured: 6\nPackets received/dropped on interface 'any': 6/4 "
                           "(pcap:4/dumpcap:0/flushed:0/ps_ifdrop:0) (60.0%)\n"),
            4U);
  EXPECT_EQ(reported_drops("killed\n"), std::nullopt);
}

TEST(FoundTools, are_known_words_only) {
  EXPECT_THAT(
      found_tools(
          "podshark-found dumpcap\npodshark-found rm\npodshark-found apt-get\nx podshark-found apk\n"),
      ElementsAre("dumpcap", "apt-get"));
}

// ---- the plan -------------------------------------------------------------------------------------------

StreamRequest request() {
  StreamRequest r;
  r.container = "web";
  r.container_id = "abc";
  r.exec = true;
  r.sidecar = {.image = "", .name = "side", .container_id = "abc", .pid = 42};
  return r;
}

StreamPlan::End missing(const std::string& found = "") {
  return {kNoTool, found};
}

TEST(StreamPlan, dumpcap_stands_in_for_tcpdump) {
  StreamPlan plan(request());
  EXPECT_THAT(plan.first().argv, IsSupersetOf({"exec", "tcpdump"}));
  const StreamPlan::Step step = plan.after(missing("podshark-found dumpcap\n"));
  ASSERT_EQ(step.kind, Kind::stream);
  EXPECT_THAT(step.argv, IsSupersetOf({"exec", "dumpcap"}));
  EXPECT_EQ(step.words, "through podman exec (dumpcap)");
}

TEST(StreamPlan, without_a_tool_the_error_names_three_ways_out) {
  StreamPlan plan(request());
  (void)plan.first();
  const StreamPlan::Step step = plan.after(missing("podshark-found apt-get\n"));
  ASSERT_EQ(step.kind, Kind::failed);
  EXPECT_EQ(step.error.kind, ErrorKind::unsupported);
  EXPECT_THAT(step.error.line(),
              AllOf(HasSubstr("'web' has neither tcpdump nor dumpcap"), HasSubstr("--install-tool"),
                    HasSubstr("--sidecar-image"), HasSubstr("--method netns")));
}

TEST(StreamPlan, installs_only_when_told_and_then_captures) {
  StreamRequest r = request();
  r.install_tool = true;
  StreamPlan plan(r);
  (void)plan.first();
  StreamPlan::Step step = plan.after(missing("podshark-found apt-get\n"));
  ASSERT_EQ(step.kind, Kind::command);
  EXPECT_EQ(step.argv.back(), "update");
  step = plan.after({0, "W: chatter\n"});
  ASSERT_EQ(step.kind, Kind::command);
  EXPECT_EQ(step.argv.back(), "tcpdump");
  step = plan.after({0, ""});
  ASSERT_EQ(step.kind, Kind::stream);
  EXPECT_THAT(step.argv, IsSupersetOf({"exec", "--privileged", "tcpdump"}));
  EXPECT_EQ(plan.after(missing()).kind, Kind::failed);  // not again and again
}

TEST(StreamPlan, a_failed_installation_says_what_the_manager_said) {
  StreamRequest r = request();
  r.install_tool = true;
  StreamPlan plan(r);
  (void)plan.first();
  (void)plan.after(missing("podshark-found apt-get\n"));
  const StreamPlan::Step step = plan.after({100, "W: chatter\nE: Unable to locate package tcpdump\n"});
  ASSERT_EQ(step.kind, Kind::failed);
  EXPECT_THAT(step.error.what,
              AllOf(HasSubstr("installing tcpdump in container 'web'"), HasSubstr("Unable to locate")));
}

TEST(StreamPlan, nothing_to_install_with_is_said) {
  StreamRequest r = request();
  r.install_tool = true;
  StreamPlan plan(r);
  (void)plan.first();
  EXPECT_THAT(plan.after(missing()).error.what, HasSubstr("nor apt-get, apk or dnf"));
}

TEST(StreamPlan, a_sidecar_follows_when_there_is_an_image) {
  StreamRequest r = request();
  r.sidecar.image = "localhost/x:1";
  StreamPlan plan(r);
  (void)plan.first();
  StreamPlan::Step step = plan.after(missing());
  ASSERT_EQ(step.kind, Kind::stream);
  EXPECT_EQ(step.words, "through a sidecar of image localhost/x:1");
  step = plan.after({125, "Error: localhost/x:1: image not known\n"});
  ASSERT_EQ(step.kind, Kind::failed);
  EXPECT_EQ(step.error.kind, ErrorKind::not_found);
  EXPECT_THAT(step.error.line(),
              AllOf(HasSubstr("podman pull localhost/x:1"), HasSubstr("before that: container 'web'")));
}

TEST(StreamPlan, an_image_without_shell_is_explained) {
  StreamPlan plan(request());
  (void)plan.first();
  const StreamPlan::Step step =
      plan.after({127, "Error: crun: executable file `sh` not found in $PATH: No such file or directory\n"});
  EXPECT_EQ(step.error.kind, ErrorKind::unsupported);
  EXPECT_THAT(step.error.what, HasSubstr("has no shell"));
}

TEST(StreamPlan, on_the_host_it_is_dumpcap_with_its_group) {
  StreamRequest r;
  r.host = true;
  StreamPlan plan(r);
  EXPECT_THAT(plan.first().argv, AllOf(Contains("dumpcap"), Not(Contains("podman"))));
  const StreamPlan::Step step =
      plan.after({1, "dumpcap: You do not have permission to capture on device \"any\".\n"});
  EXPECT_EQ(step.error.kind, ErrorKind::permission);
  EXPECT_THAT(step.error.hint, HasSubstr("usermod -aG wireshark"));
}

}  // namespace
}  // namespace podshark::extcap
