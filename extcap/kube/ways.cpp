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
// A container is there some time after it was asked for. "$@" prints its state.
constexpr const char* kWait = R"(
what=$1
shift
i=0
while [ $i -lt 120 ]; do
  state=$("$@") || exit 1
  case ${state%% *} in Running | *running*) exit 0 ;; esac
  case $state in *terminated* | *Succeeded* | *Failed* | *Err* | *BackOff* | *Invalid*) break ;; esac
  sleep 0.5
  i=$((i + 1))
done
echo "$what does not start: $state" >&2
exit 1
)";
// "$@" makes the pod that the first line of stdin describes; streams of several links have the same.
constexpr const char* kMake = R"(
IFS= read -r pod
said=$(printf '%s\n' "$pod" | "$@" 2>&1) && exit 0
case $said in *AlreadyExists*) exit 0 ;; esac
printf '%s\n' "$said" >&2
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
  if (!request_.image.empty()) {
    if (!request_.idles) {
      left_.push_back({Way::Kind::debug, request_.ephemeral});
      left_.push_back({Way::Kind::wait, request_.ephemeral});
    }
    left_.push_back({Way::Kind::idle, request_.ephemeral});
  }
  if (request_.node.image.empty()) return;
  left_.push_back({Way::Kind::make, kNodeContainer});
  left_.push_back({Way::Kind::made, kNodeContainer});
  left_.push_back({Way::Kind::node_tool, kNodeContainer, "tcpdump"});
}

bool PodWays::by_node() const {
  return now_.kind >= Way::Kind::make;
}

std::string PodWays::pod() const {
  return "pod " + in_quotes(request_.name_space + "/" + request_.pod);
}

std::string PodWays::where() const {
  if (by_node()) return "node pod " + in_quotes(request_.node.name) + " for " + pod();
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
  const NodePod& node = request_.node;
  std::vector<std::string> words{"exec",
                                 "--stdin",
                                 "--namespace=" + (by_node() ? node.name_space : request_.name_space),
                                 by_node() ? node.name : request_.pod,
                                 "--container=" + container,
                                 "--"};
  const Argv entered = by_node() ? entered_pod(node.container_id, inside) : inside;
  words.insert(words.end(), entered.begin(), entered.end());
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
  step.argv = {"sh", "-c", kWait, "podshark", "the ephemeral container"};
  const Argv ask = kubectl_words(
      request_.cluster,
      {"get", "pod", "--namespace=" + request_.name_space, request_.pod,
       "--output=jsonpath={.status.ephemeralContainerStatuses[?(@.name==\"" + container + "\")].state}"});
  step.argv.insert(step.argv.end(), ask.begin(), ask.end());
  return step;
}

StreamWays::Step PodWays::make() const {
  const NodePod& node = request_.node;
  Result<std::string> json = node_pod_json(node);
  if (!json) return {.kind = Step::Kind::failed, .error = json.error()};
  Step step{.kind = Step::Kind::command};
  step.words = "privileged pod " + in_quotes(node.name_space + "/" + node.name) + " of image " +
               one_line(node.image, 120) + " on node " + in_quotes(node.node);
  step.argv = {"sh", "-c", kMake, "podshark"};
  const Argv create = kubectl_words(
      request_.cluster, {"create", "--namespace=" + node.name_space, "--validate=false", "--filename=-"});
  step.argv.insert(step.argv.end(), create.begin(), create.end());
  step.input = *json + "\n";
  if (node.made) node.made();
  return step;
}

StreamWays::Step PodWays::made() const {
  const NodePod& node = request_.node;
  Step step{.kind = Step::Kind::command};
  step.words = "node pod " + in_quotes(node.name) + " to start";
  step.argv = {"sh", "-c", kWait, "podshark", "it"};
  const Argv ask = kubectl_words(
      request_.cluster,
      {"get", "pod", "--namespace=" + node.name_space, node.name,
       "--output=jsonpath={.status.phase} {.status.reason} {.status.containerStatuses[*].state.*.reason} "
       "{.status.containerStatuses[*].state.*.message}"});
  step.argv.insert(step.argv.end(), ask.begin(), ask.end());
  return step;
}

StreamWays::Step PodWays::step_of(const Way& way) {
  switch (way.kind) {
    case Way::Kind::debug:
      return debug(way.container);
    case Way::Kind::wait:
      return wait(way.container);
    case Way::Kind::make:
      return make();
    case Way::Kind::made:
      return made();
    case Way::Kind::idle:
    case Way::Kind::sent:
    case Way::Kind::node_sent:
      return sent(way);
    case Way::Kind::tool:
    case Way::Kind::node_tool:
      break;
  }
  Step step{.kind = Step::Kind::stream};
  const Argv tool = way.tool == "dumpcap" ? dumpcap_argv(request_.spec) : tcpdump_argv(request_.spec);
  step.argv = exec(way.container, leased(tool, Lease::beats));
  step.words = "through kubectl exec (" + way.tool +
               (by_node() ? " in node pod " + in_quotes(request_.node.name) : std::string()) + ")";
  return step;
}

// podshark-agent, in an image or brought there.
StreamWays::Step PodWays::sent(const Way& way) {
  Step step{.kind = Step::Kind::stream};
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
  step.words = "through kubectl exec (podshark-agent, sent into " +
               (by_node() ? "node pod " + in_quotes(request_.node.name) : "container " + in_it) + ")";
  step.input = remote::base64(*packed) + "\n";
  return step;
}

Error PodWays::error_of(const End& end) const {
  if (no_such_program(end.errors))
    return {ErrorKind::unsupported, where() + " has no shell to start a capture tool with", {}};
  if (is_kubectls(end.errors)) return kubectl_error(request_.cluster, end.errors);
  if (end.exit_code == kNoTool)
    return {ErrorKind::unsupported, where() + " has neither tcpdump nor dumpcap", {}};
  if (by_node() && end.exit_code == kNoProcess)
    return {ErrorKind::gone,
            where() + " finds no process of it on node " + in_quotes(request_.node.node) +
                ": it has stopped, or its runtime does not name cgroups by container",
            "'podshark list --kube' shows what runs"};
  if (by_node() && end.exit_code == kNoEnter)
    return {ErrorKind::unsupported, "image " + in_quotes(request_.node.image) + " has no nsenter or no grep",
            "--node-pod wants an image with a shell and these, such as one of busybox or Debian"};
  const std::string said = complaint(end.errors);
  const bool refused = end.exit_code == agent::kNotPermitted;
  const ErrorKind kind = refused ? ErrorKind::permission : complaint_kind(said);
  if (kind == ErrorKind::permission && !by_node())
    return {kind,
            where() + " may not capture (" + said +
                "): it is not root, or without NET_RAW, as in restricted pods",
            "a container of it that is root and has NET_RAW would do: name it as kube://" +
                request_.name_space + "/" + request_.pod + "/CONTAINER"};
  if (said.empty() && end.exit_code > 128)
    return {ErrorKind::gone, (by_node() ? pod() + ", or " : "") + where() + " has stopped",
            "'podshark list --kube' shows what runs"};
  const std::string tool = now_.tool.empty() ? "podshark-agent" : now_.tool;
  const std::string code = tool + " ended with exit code " + std::to_string(end.exit_code);
  return {kind, where() + ": " + (said.empty() ? code : said), {}};
}

// The same container: its dumpcap, or, when the others have no tool either, podshark-agent.
void PodWays::another_tool(const End& end) {
  if (now_.tool == "tcpdump" && holds(found_tools(end.errors), "dumpcap")) {
    left_.push_front({now_.kind, now_.container, "dumpcap"});
    return;
  }
  const std::string machine = reported_machine(end.errors);
  if (!request_.agent || machine.empty()) return;
  if (by_node()) {
    left_.push_front({Way::Kind::node_sent, now_.container, {}, machine});
    return;
  }
  const auto behind = std::find_if(left_.begin(), left_.end(), [](const Way& way) {
    return way.kind != Way::Kind::tool && way.kind != Way::Kind::sent;
  });
  left_.insert(behind, Way{Way::Kind::sent, now_.container, {}, machine});
}

// What the API server says is said of every container. What a tool says of a link or a filter, too.
StreamWays::Step PodWays::after(const End& end) {
  const Way::Kind kind = now_.kind;
  const bool command = kind == Way::Kind::debug || kind == Way::Kind::wait || kind == Way::Kind::make ||
                       kind == Way::Kind::made;
  if (command && end.exit_code == 0) return next(conclusion());
  if (command) return command_ended(error_of(end));
  const bool missing = end.exit_code == kNoTool && (kind == Way::Kind::tool || kind == Way::Kind::node_tool);
  if (missing) another_tool(end);
  Error error = error_of(end);
  const bool shell = no_such_program(end.errors);
  const bool elsewhere = missing || shell || end.exit_code == kNoDirectory ||
                         (error.kind == ErrorKind::permission && !is_kubectls(end.errors));
  if (!elsewhere) return {.kind = Step::Kind::failed, .error = error};
  // The most telling reason: that somebody may not, rather than that a tool is missing.
  if (!why_ || why_->kind != ErrorKind::permission) why_ = error;
  return next(conclusion());
}

// Without an ephemeral container there still is the node.
StreamWays::Step PodWays::command_ended(Error error) {
  if (!by_node()) {
    while (!left_.empty() && left_.front().kind != Way::Kind::make) left_.pop_front();
    if (!left_.empty()) {
      why_ = std::move(error);
      return next(conclusion());
    }
  }
  if (why_) error.what += "; before that: " + why_->what;
  return {.kind = Step::Kind::failed, .error = error};
}

Error PodWays::conclusion() const {
  if (!why_) return {ErrorKind::internal, pod() + ": there is no way left", {}};
  const std::string image =
      why_->kind == ErrorKind::permission
          ? "--node-pod IMAGE captures from a privileged pod on its node (docs/KUBERNETES.md)"
          : "--agent-image IMAGE adds an ephemeral container that has podshark-agent (docs/KUBERNETES.md)";
  if (!request_.image.empty() || !request_.node.image.empty()) return *why_;
  return {why_->kind, why_->what, (why_->hint.empty() ? "" : why_->hint + "; or ") + image};
}

std::vector<std::string> with_marker(const std::vector<std::string>& argv) {
  std::vector<std::string> out{"sh", "-c", kBegin, remote::kMarker};
  out.insert(out.end(), argv.begin(), argv.end());
  return out;
}

}  // namespace podshark::extcap::kube
