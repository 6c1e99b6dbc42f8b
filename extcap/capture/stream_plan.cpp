// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/stream_plan.h"

#include <algorithm>

#include "extcap/capture/tool_words.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

constexpr const char* kWaysOut =
    "three ways out: --install-tool installs tcpdump in it, --sidecar-image IMAGE captures from a container "
    "beside it, --method netns needs no tool at all";

bool holds(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string hint_for(ErrorKind kind, const StreamRequest& request) {
  if (kind == ErrorKind::not_found) return "podman pull " + one_line(request.sidecar.image, 120);
  if (kind == ErrorKind::gone) return "select it again";
  if (kind == ErrorKind::permission && request.host) {
    return "members of the group that may run dumpcap can: sudo usermod -aG wireshark $USER, then log in "
           "again";
  }
  return {};
}

}  // namespace

// Best first.
std::vector<StreamPlan::Place> StreamPlan::places() const {
  if (request_.host) return {Place::host};
  std::vector<Place> out;
  if (!request_.agent.empty()) out.push_back(Place::agent);
  if (!request_.enter.empty()) out.push_back(Place::entered);
  if (request_.exec) out.push_back(Place::container);
  if (!request_.sidecar.image.empty()) out.push_back(Place::sidecar);
  return out;
}

StreamPlan::Step StreamPlan::first() {
  const std::vector<Place> all = places();
  if (!all.empty()) return stream(all.front(), all.front() == Place::host ? "dumpcap" : "tcpdump");
  return {.kind = Step::Kind::failed,
          .error =
              Error{ErrorKind::usage, "the method sidecar needs an image", "give it: --sidecar-image IMAGE"}};
}

StreamPlan::Step StreamPlan::stream(Place place, const std::string& tool) {
  if (place != place_) tried_.clear();
  place_ = place;
  tool_ = tool;
  tried_.push_back(tool);
  const Argv argv = tool == "dumpcap" ? dumpcap_argv(request_.spec) : tcpdump_argv(request_.spec);
  const Podman& podman = request_.podman;
  Step step{.kind = Step::Kind::stream};
  switch (place) {
    case Place::host:
      step.argv = leased(argv);
      break;
    case Place::agent:
      step.argv = request_.agent;
      break;
    case Place::entered:
      step.argv = entered_argv(request_.enter, argv);
      break;
    case Place::container:
      step.argv = joined(request_.elevate, exec_argv(podman, request_.container_id, argv));
      break;
    case Place::sidecar:
      step.argv = joined(request_.elevate, sidecar_argv(podman, request_.sidecar, argv));
      break;
  }
  step.words = here();
  step.tidies_up = place == Place::sidecar;
  return step;
}

std::string StreamPlan::here() const {
  if (place_ == Place::host) return "through " + tool_ + " on the host";
  if (place_ == Place::container) return "through podman exec (" + tool_ + ")";
  if (place_ == Place::agent) return "through podshark-agent, sent to " + request_.machine;
  if (place_ == Place::entered)
    return "through " + tool_ + " of " + request_.machine + " in its network namespace";
  return "through a sidecar of image " + one_line(request_.sidecar.image, 120);
}

StreamPlan::Step StreamPlan::next_command() {
  Step step{.kind = Step::Kind::command, .argv = std::move(commands_.front())};
  commands_.pop_front();
  step.words = "installing tcpdump in container " + in_quotes(request_.container);
  return step;
}

StreamPlan::Step StreamPlan::next_place(Error error) {
  const std::vector<Place> all = places();
  const auto here = std::find(all.begin(), all.end(), place_);
  if (before_) error.what += "; before that: " + before_->what;
  const bool gone = error.kind == ErrorKind::gone;
  if (gone || here == all.end() || here + 1 == all.end())
    return {.kind = Step::Kind::failed, .error = std::move(error)};
  before_ = std::move(error);
  return stream(*(here + 1), "tcpdump");
}

std::optional<StreamPlan::Step> StreamPlan::another_tool(const std::vector<std::string>& found) {
  for (const char* tool : {"tcpdump", "dumpcap"}) {
    if (holds(found, tool) && !holds(tried_, tool)) return stream(place_, tool);
  }
  return std::nullopt;
}

Error StreamPlan::no_tool() const {
  if (place_ == Place::host) {
    return Error{ErrorKind::unsupported, "neither dumpcap nor tcpdump is installed on this host",
                 "install wireshark-common (dumpcap) or tcpdump"};
  }
  if (place_ == Place::entered)
    return Error{ErrorKind::unsupported, "neither tcpdump nor dumpcap is installed on " + request_.machine,
                 "install tcpdump there"};
  const std::string whose = "container " + in_quotes(request_.container);
  if (!request_.install_tool)
    return Error{ErrorKind::unsupported, whose + " has neither tcpdump nor dumpcap", kWaysOut};
  return Error{
      ErrorKind::unsupported,
      whose + " has neither tcpdump nor dumpcap, nor apt-get, apk or dnf to install one",
      "--sidecar-image IMAGE captures from a container beside it, --method netns needs no tool at all"};
}

Error StreamPlan::error_of(const End& end) const {
  std::string said = complaint(end.errors);
  ErrorKind kind = complaint_kind(said);
  if (said.empty())
    said = (place_ == Place::agent ? "podshark-agent" : tool_) + " ended with exit code " +
           std::to_string(end.exit_code);
  if (place_ == Place::container && kind == ErrorKind::unsupported) {
    return Error{
        kind, "container " + in_quotes(request_.container) + " has no shell to start a capture tool with",
        "--sidecar-image IMAGE captures from a container beside it, --method netns needs no tool at all"};
  }
  const std::string what =
      installing_ ? "installing tcpdump in container " + in_quotes(request_.container) : "capture " + here();
  return Error{kind, what + ": " + said, hint_for(kind, request_)};
}

StreamPlan::Step StreamPlan::after(const End& end) {
  if (installing_) {
    if (end.exit_code != 0) return next_place(error_of(end));
    if (!commands_.empty()) return next_command();
    installing_ = false;
    installed_ = true;
    return stream(Place::container, "tcpdump");
  }
  const bool missing = end.exit_code == kNoTool && place_ != Place::sidecar && place_ != Place::agent;
  if (!missing) return next_place(error_of(end));
  const std::vector<std::string> found = found_tools(end.errors);
  if (std::optional<Step> step = another_tool(found)) return std::move(*step);
  if (place_ == Place::container && request_.install_tool && !installed_) {
    for (const std::string& manager : found) {
      const std::vector<Argv> commands = install_argvs(request_.podman, request_.container_id, manager);
      if (commands.empty()) continue;
      for (const Argv& command : commands) commands_.push_back(joined(request_.elevate, command));
      installing_ = true;
      return next_command();
    }
  }
  return next_place(no_tool());
}

}  // namespace podshark::extcap
