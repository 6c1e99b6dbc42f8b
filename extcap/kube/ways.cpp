// SPDX-License-Identifier: GPL-2.0-or-later
// kubectl exec ends with the exit code of what it ran, or with 1 and a line of its own; what the container's
// programs say begins with their names. All containers of a pod share its network, so any of them will do.
#include "extcap/kube/ways.h"

#include <algorithm>

#include "extcap/agent/exit_codes.h"
#include "extcap/capture/tool_words.h"
#include "extcap/kube/kubectl.h"
#include "extcap/remote/far_ways.h"
#include "extcap/remote/line.h"
#include "podman/core/text.h"

namespace podshark::extcap::kube {
namespace {

// How the image is to be made: docs/KUBERNETES.md.
constexpr const char* kAgentInImage = "/podshark-agent";
constexpr const char* kIdleSeconds = "600";
constexpr int kNoDirectory = 98;  // of agent_from_stdin()
// An ephemeral container is there some time after it was asked for. "$@" prints its state.
constexpr const char* kWait = R"(
i=0
while [ $i -lt 60 ]; do
  state=$("$@") || exit 1
  case $state in
    *running*) exit 0 ;;
    *terminated* | *Err* | *BackOff* | *Invalid*) break ;;
  esac
  sleep 0.5
  i=$((i + 1))
done
echo "the ephemeral container does not start: $state" >&2
exit 1
)";
constexpr const char* kBegin = "echo; echo \"$0\"; exec \"$@\"";

// kubectl's own complaint; the runtime's, which it passes on, is about the program.
bool is_kubectls(const std::string& said) {
  for (const std::string& line : split(said, '\n')) {
    for (const char* start : {"Error from server", "error: ", "The connection to the server ",
                              "Unable to connect to the server", "Error in configuration: "}) {
      if (line.starts_with(start)) return true;
    }
  }
  return false;
}

bool no_such_program(const std::string& said) {
  return said.find("OCI runtime exec failed") != std::string::npos &&
         (said.find("executable file not found") != std::string::npos ||
          said.find("no such file or directory") != std::string::npos);
}

bool holds(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

PodWays::PodWays(WaysRequest request) : request_(std::move(request)) {
  for (const std::string& container : request_.containers)
    left_.push_back({Way::Kind::tool, container, "tcpdump"});
  if (request_.image.empty()) return;
  if (!request_.idles) {
    left_.push_back({Way::Kind::debug, request_.ephemeral});
    left_.push_back({Way::Kind::wait, request_.ephemeral});
  }
  left_.push_back({Way::Kind::idle, request_.ephemeral});
}

std::string PodWays::pod() const {
  return "pod " + in_quotes(request_.name_space + "/" + request_.pod);
}

std::string PodWays::where() const {
  return "container " + in_quotes(now_.container) + " of " + pod();
}

StreamWays::Step PodWays::first() {
  return next({ErrorKind::not_running, pod() + " has no running container", {}});
}

StreamWays::Step PodWays::next(const Error& otherwise) {
  if (left_.empty()) return {.kind = Step::Kind::failed, .error = otherwise};
  now_ = std::move(left_.front());
  left_.pop_front();
  return step_of(now_);
}

Argv PodWays::exec(const std::string& container, const Argv& inside) const {
  std::vector<std::string> words{
      "exec", "--stdin", "--namespace=" + request_.name_space, request_.pod, "--container=" + container,
      "--"};
  words.insert(words.end(), inside.begin(), inside.end());
  return kubectl_words(request_.cluster, words);
}

StreamWays::Step PodWays::debug(const std::string& container) const {
  Step step{.kind = Step::Kind::command};
  step.words = "an ephemeral container of image " + one_line(request_.image, 120) + " in " + pod();
  step.argv =
      kubectl_words(request_.cluster,
                    {"debug", "--namespace=" + request_.name_space, request_.pod, "--image=" + request_.image,
                     "--image-pull-policy=IfNotPresent", "--container=" + container, "--attach=false",
                     "--quiet", "--", kAgentInImage, "idle", kIdleSeconds});
  return step;
}

StreamWays::Step PodWays::wait(const std::string& container) const {
  Step step{.kind = Step::Kind::command};
  step.words = "ephemeral container " + in_quotes(container) + " to start";
  step.argv = {"sh", "-c", kWait, "podshark"};
  const Argv ask = kubectl_words(
      request_.cluster,
      {"get", "pod", "--namespace=" + request_.name_space, request_.pod,
       "--output=jsonpath={.status.ephemeralContainerStatuses[?(@.name==\"" + container + "\")].state}"});
  step.argv.insert(step.argv.end(), ask.begin(), ask.end());
  return step;
}

StreamWays::Step PodWays::step_of(const Way& way) {
  if (way.kind == Way::Kind::debug) return debug(way.container);
  if (way.kind == Way::Kind::wait) return wait(way.container);
  Step step{.kind = Step::Kind::stream};
  if (way.kind == Way::Kind::tool) {
    const Argv tool = way.tool == "dumpcap" ? dumpcap_argv(request_.spec) : tcpdump_argv(request_.spec);
    step.argv = exec(way.container, leased(tool, Lease::beats));
    step.words = "through kubectl exec (" + way.tool + ")";
    return step;
  }
  const Result<Argv> words = remote::agent_words(request_.spec, "self");
  if (!words) return {.kind = Step::Kind::failed, .error = words.error()};
  const std::string in_it = in_quotes(way.container);
  if (way.kind == Way::Kind::idle) {
    Argv inside{kAgentInImage};
    inside.insert(inside.end(), words->begin(), words->end());
    step.argv = exec(way.container, inside);
    step.words = "through kubectl exec (podshark-agent in ephemeral container " + in_it + ")";
    return step;
  }
  Result<std::string> packed = request_.agent(way.machine);
  if (!packed) {
    why_ = packed.error();
    return next(conclusion());
  }
  step.argv = exec(way.container, remote::agent_from_stdin(*words));
  step.words = "through kubectl exec (podshark-agent, sent into container " + in_it + ")";
  step.input = remote::base64(*packed) + "\n";
  return step;
}

Error PodWays::error_of(const End& end) const {
  if (no_such_program(end.errors))
    return {ErrorKind::unsupported, where() + " has no shell to start a capture tool with", {}};
  if (is_kubectls(end.errors)) return kubectl_error(request_.cluster, end.errors);
  if (end.exit_code == kNoTool)
    return {ErrorKind::unsupported, where() + " has neither tcpdump nor dumpcap", {}};
  const std::string said = complaint(end.errors);
  const bool refused = end.exit_code == agent::kNotPermitted;
  const ErrorKind kind = refused ? ErrorKind::permission : complaint_kind(said);
  if (kind == ErrorKind::permission)
    return {kind,
            where() + " may not capture (" + said +
                "): it is not root, or without NET_RAW, as in restricted pods",
            "a container of it that is root and has NET_RAW would do: name it as kube://" +
                request_.name_space + "/" + request_.pod + "/CONTAINER"};
  if (said.empty() && end.exit_code > 128)
    return {ErrorKind::gone, where() + " has stopped", "'podshark list --kube' shows what runs"};
  const std::string tool = now_.tool.empty() ? "podshark-agent" : now_.tool;
  const std::string code = tool + " ended with exit code " + std::to_string(end.exit_code);
  return {kind, where() + ": " + (said.empty() ? code : said), {}};
}

// The same container: its dumpcap, or, when the others have no tool either, podshark-agent.
void PodWays::another_tool(const End& end) {
  if (now_.tool == "tcpdump" && holds(found_tools(end.errors), "dumpcap")) {
    left_.push_front({Way::Kind::tool, now_.container, "dumpcap"});
    return;
  }
  const std::string machine = reported_machine(end.errors);
  if (!request_.agent || machine.empty()) return;
  const auto behind = std::find_if(left_.begin(), left_.end(), [](const Way& way) {
    return way.kind != Way::Kind::tool && way.kind != Way::Kind::sent;
  });
  left_.insert(behind, Way{Way::Kind::sent, now_.container, {}, machine});
}

// What the API server says is said of every container. What a tool says of a link or a filter, too.
StreamWays::Step PodWays::after(const End& end) {
  const bool command = now_.kind == Way::Kind::debug || now_.kind == Way::Kind::wait;
  if (command && end.exit_code == 0) return next(conclusion());
  const bool missing = end.exit_code == kNoTool && now_.kind == Way::Kind::tool;
  if (missing) another_tool(end);
  Error error = error_of(end);
  const bool shell = no_such_program(end.errors);
  const bool elsewhere = missing || shell || end.exit_code == kNoDirectory ||
                         (error.kind == ErrorKind::permission && !is_kubectls(end.errors));
  if (!elsewhere || command) {
    if (command && why_) error.what += "; before that: " + why_->what;
    return {.kind = Step::Kind::failed, .error = error};
  }
  // The most telling reason: that somebody may not, rather than that a tool is missing.
  if (!why_ || why_->kind != ErrorKind::permission) why_ = error;
  return next(conclusion());
}

Error PodWays::conclusion() const {
  if (!why_) return {ErrorKind::internal, pod() + ": there is no way left", {}};
  const std::string image =
      "--agent-image IMAGE adds an ephemeral container that has podshark-agent (docs/KUBERNETES.md)";
  if (!request_.image.empty()) return *why_;
  return {why_->kind, why_->what, (why_->hint.empty() ? "" : why_->hint + "; or ") + image};
}

std::vector<std::string> with_marker(const std::vector<std::string>& argv) {
  std::vector<std::string> out{"sh", "-c", kBegin, remote::kMarker};
  out.insert(out.end(), argv.begin(), argv.end());
  return out;
}

}  // namespace podshark::extcap::kube
