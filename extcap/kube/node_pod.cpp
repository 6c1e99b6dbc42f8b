// SPDX-License-Identifier: GPL-2.0-or-later
// The scripts are constants; every value reaches them as a positional argument.
#include "extcap/kube/node_pod.h"

#include <algorithm>

#include "extcap/json_object.h"
#include "podman/api/parse_kube.h"

namespace podshark::extcap::kube {
namespace {

constexpr std::uint64_t kLongestSeconds = 86400;
constexpr std::size_t kMostImage = 300;

// The pod's own process: /tmp/podshark.PID is of a capture in it. Its lines become one in JSON.
constexpr const char* kIdle =
    "mkdir -p /tmp; idle=0; "
    "while [ $idle -lt 15 ]; do sleep 2; idle=$((idle + 1)); "
    "for f in /tmp/podshark.*; do if [ -d \"/proc/${f##*.}\" ]; then idle=0; fi; done; done";

// $1: the container's id, which is in the names of its processes' cgroups, and in that of CRI-O's conmon. The
// first process is the one whose parent is not among them: others may have networks of their own. The watcher
// holds none of our streams.
constexpr const char* kEnter = R"(
id=$1
shift
command -v nsenter >/dev/null 2>&1 && command -v grep >/dev/null 2>&1 || exit 95
of_it() { grep "$id" "/proc/$1/cgroup" 2>/dev/null | grep -qv conmon; }
process=
for f in $(grep -l "$id" /proc/[0-9]*/cgroup 2>/dev/null); do
  p=${f#/proc/}
  p=${p%/cgroup}
  of_it "$p" || continue
  parent=
  while read -r key value _; do [ "$key" != PPid: ] || parent=$value; done 2>/dev/null <"/proc/$p/status"
  [ -n "$parent" ] && ! of_it "$parent" || continue
  process=$p
  break
done
[ -n "$process" ] || exit 94
: >"/tmp/podshark.$$"
(while [ -d "/proc/$process" ] && [ -d "/proc/$$" ]; do sleep 1; done
 rm -f "/tmp/podshark.$$"
 kill -TERM $$) </dev/null >/dev/null 2>&1 &
exec nsenter -t "$process" -n "$@"
)";

std::string object(const std::function<void(JsonObject&)>& fill) {
  std::string out;
  {
    JsonObject json(out);
    fill(json);
  }
  return out;
}

std::string container_json(const NodePod& pod) {
  const std::string command =
      "[\"sh\",\"-c\"," + json_string(kIdle, std::char_traits<char>::length(kIdle)) + "]";
  return object([&](JsonObject& json) {
    json.text("name", kNodeContainer)
        .text("image", pod.image)
        .text("imagePullPolicy", "IfNotPresent")
        .raw("command", command)
        .raw("securityContext", R"({"privileged":true,"runAsUser":0,"runAsNonRoot":false})");
  });
}

}  // namespace

bool is_image_name(const std::string& text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= kMostImage && plain(text.front()) && plain(text.back()) &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return plain(c) || std::string_view("._-/:@").find(c) != std::string_view::npos;
         });
}

Result<std::string> node_pod_json(const NodePod& pod) {
  if (!is_image_name(pod.image))
    return Error{ErrorKind::usage, "--node-pod " + in_quotes(pod.image) + " is no image name", {}};
  if (!api::is_kube_name(pod.node) || pod.container_id.size() != 64)
    return Error{ErrorKind::not_running, "the node or the container of the pod is not known yet",
                 "try again when it runs"};
  const std::string metadata = object([&](JsonObject& json) {
    json.text("name", pod.name)
        .text("namespace", pod.name_space)
        .raw("labels", R"({"app.kubernetes.io/managed-by":"podshark"})");
  });
  const std::string spec = object([&](JsonObject& json) {
    json.text("nodeName", pod.node)
        .flag("hostPID", true)
        .text("restartPolicy", "Never")
        .number("activeDeadlineSeconds", kLongestSeconds)
        .number("terminationGracePeriodSeconds", 1)
        .flag("automountServiceAccountToken", false)
        .flag("enableServiceLinks", false)
        .raw("tolerations", R"([{"operator":"Exists"}])")
        .raw("containers", "[" + container_json(pod) + "]");
  });
  return object([&](JsonObject& json) {
    json.text("apiVersion", "v1").text("kind", "Pod").raw("metadata", metadata).raw("spec", spec);
  });
}

Argv entered_pod(const std::string& container_id, const Argv& argv) {
  Argv out{"sh", "-c", kEnter, "podshark", container_id};
  out.insert(out.end(), argv.begin(), argv.end());
  return out;
}

}  // namespace podshark::extcap::kube
