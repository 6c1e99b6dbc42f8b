// SPDX-License-Identifier: GPL-2.0-or-later
// The scripts are constants; every value reaches them as a positional argument. A lease is the pipe that we
// hold open as their stdin: however we end, kill -9 included, the kernel closes it. Podman by itself leaves
// an idle program running inside, and its client may lose a signal or leave a half-made container behind.
#include "extcap/capture/method.h"

#include <algorithm>
#include <array>

#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

// `read` is the shell's own: an image need not have cat. fd 3, because a background job's stdin is /dev/null.
// The background job holds none of the streams whose end others wait for, and does not outlive the tool for
// long. Not every sleep takes fractions. The one that answers holds stderr, and is therefore ended with the
// tool.
constexpr const char* kLeaseBegin = R"sh(
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
if ! command -v "$1" >/dev/null 2>&1; then
  for i in tcpdump dumpcap apt-get apk dnf; do
    if command -v "$i" >/dev/null 2>&1; then echo "podshark-found $i" >&2; fi
  done
  echo "podshark-machine $(uname -m 2>/dev/null)" >&2
  exit 97
fi
exec 3<&0
)sh";
constexpr const char* kLeaseTool = "tool=$$\n(";
constexpr const char* kLeaseEnd = R"sh(
 kill -TERM $tool
 i=0
 while [ $i -lt 20 ] && kill -0 $tool; do
   [ $i -lt 10 ] || kill -KILL $tool
   sleep 0.1 5>&- || sleep 1 5>&-
   i=$((i + 1))
 done) >/dev/null 2>&1 &
)sh";
constexpr const char* kLeaseExec = "exec \"$@\" </dev/null 3<&-\n";
constexpr const char* kAnsweredTool = R"sh(
exec 5>&2
"$@" </dev/null 3<&- 5>&- &
tool=$!
(trap '' PIPE
)sh";
constexpr const char* kAnsweredWait = R"sh(
lease=$!
exec 3<&- 5>&-
trap 'kill -TERM $tool; wait $tool' TERM
wait $tool
code=$?
kill $lease 2>/dev/null
exit $code
)sh";
constexpr const char* kUntilTheEnd = "while read -r _ <&3; do :; done";
// Where there is no such timeout, the end of stdin alone has to do.
constexpr const char* kWhileBeatsCome =
    "if timeout 6 true; then while b=$(exec 5>&-; timeout 6 dd bs=64 count=1 2>/dev/null <&3); late=$?; "
    "[ -n \"$b\" ]; do echo podshark-alive >&5 || break; done; [ $late = 0 ] || echo podshark-unheard >&5; "
    "else while read -r _ <&3; do :; done; fi";

// podman run takes a TERM to hand it on; while the container is being made it is lost or leaves one that was
// never started. So: TERM, and as long as podman runs its container is removed; once more after its end.
constexpr const char* kSidecar = R"(
podman=$1 which=$2 name=$3
shift 3
exec 3<&0 </dev/null
"$podman" "$which" run --name "$name" "$@" 3<&- &
run=$!
exec >/dev/null 2>&1
(while read -r _ <&3; do :; done
 kill -TERM $run
 while sleep 0.3; kill -0 $run; do "$podman" "$which" rm -f -t 0 "$name"; done) &
lease=$!
exec 3<&-
wait $run
status=$?
kill $lease
"$podman" "$which" rm -f -t 0 --ignore "$name"
exit $status
)";

constexpr std::array<std::pair<Method, const char*>, 4> kNames{{{Method::automatic, "auto"},
                                                                {Method::netns, "netns"},
                                                                {Method::exec, "exec"},
                                                                {Method::sidecar, "sidecar"}}};

}  // namespace

Argv joined(Argv first, const Argv& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Argv tcpdump_argv(const StreamSpec& spec) {
  // Without --immediate-mode the first packet comes a second late. -Z root: as root it would become a user
  // that the image may not have, for which it has no capability in a sidecar.
  Argv argv{"tcpdump", "-Z", "root", "-n", "-U", "--immediate-mode", "--time-stamp-precision=nano"};
  argv.insert(argv.end(), {"-i", spec.link, "-s", std::to_string(spec.snaplen)});
  argv.insert(argv.end(), {"-B", std::to_string(spec.buffer_bytes >> 10U)});  // KiB
  if (!spec.promiscuous) argv.emplace_back("-p");
  argv.insert(argv.end(), {"-w", "-"});
  if (!trim(spec.filter).empty()) argv.insert(argv.end(), {"--", spec.filter});
  return argv;
}

Argv dumpcap_argv(const StreamSpec& spec) {
  Argv argv{"dumpcap", "-q", "-P", "-i", spec.link, "-s", std::to_string(spec.snaplen)};
  argv.insert(argv.end(), {"-B", std::to_string(std::max<std::size_t>(spec.buffer_bytes >> 20U, 1))});  // MiB
  if (!spec.promiscuous) argv.emplace_back("-p");
  if (!trim(spec.filter).empty()) argv.insert(argv.end(), {"-f", spec.filter});
  argv.insert(argv.end(), {"-w", "-"});
  return argv;
}

Argv leased(const Argv& argv, Lease lease) {
  const std::string begin = kLeaseBegin;
  const std::string script = lease == Lease::beats
                                 ? begin + kAnsweredTool + kWhileBeatsCome + kLeaseEnd + kAnsweredWait
                                 : begin + kLeaseTool + kUntilTheEnd + kLeaseEnd + kLeaseExec;
  return joined({"sh", "-c", script, "podshark"}, argv);
}

Result<Podman> podman_of(const model::Container& container, uid_t caller, bool root_socket) {
  if (container.owner == caller) return Podman{};
  const std::string whose = "container " + in_quotes(container.name) + " belongs to user id " +
                            std::to_string(container.owner) + ", whose podman cannot be used from here";
  if (caller == 0)
    return Error{ErrorKind::unsupported, whose, "capture as that user, or with --method netns"};
  if (container.owner == 0 && root_socket)
    return Podman{"podman", std::string("--url=unix://") + kRootSocket};
  return Error{ErrorKind::permission, whose,
               container.owner == 0 ? "capture as root: sudo podshark capture" : ""};
}

Argv exec_argv(const Podman& podman, const std::string& container_id, const Argv& tool) {
  return joined({podman.program, podman.which, "exec", "--privileged", "--user", "0", "-i", container_id},
                leased(tool));
}

Argv sidecar_argv(const Podman& podman, const SidecarSpec& sidecar, const Argv& tool) {
  Argv argv{"sh", "-c", kSidecar, "podshark", podman.program, podman.which, sidecar.name};
  // Never pulled: a capture must not fetch and run something new. Not logged: the log would hold the packets.
  argv.insert(argv.end(), {"--rm", "--pull", "never", "--log-driver", "none", "--no-healthcheck"});
  // By path, not container:ID, which would make `podman rm -f` of the container fail and is refused for
  // members of a pod.
  argv.insert(argv.end(), {"--network", "ns:/proc/" + std::to_string(sidecar.pid) + "/ns/net"});
  if (sidecar.own_userns) argv.insert(argv.end(), {"--userns", "container:" + sidecar.container_id});
  argv.insert(argv.end(), {"--user", "65534:65534", "--cap-drop", "all", "--cap-add", "NET_RAW"});
  argv.insert(argv.end(), {"--entrypoint", tool.at(0), sidecar.image});
  argv.insert(argv.end(), tool.begin() + 1, tool.end());
  return argv;
}

Argv entered_argv(const Argv& enter, const Argv& tool) {
  return joined(enter, leased(tool));
}

std::vector<Argv> install_argvs(const Podman& podman, const std::string& container_id,
                                const std::string& manager) {
  std::vector<Argv> commands;
  if (manager == "apt-get") {
    commands = {{"apt-get", "update"}, {"apt-get", "install", "-y", "--no-install-recommends", "tcpdump"}};
  } else if (manager == "apk") {
    commands = {{"apk", "add", "--no-cache", "tcpdump"}};
  } else if (manager == "dnf") {
    commands = {{"dnf", "install", "-y", "--setopt=install_weak_deps=False", "tcpdump"}};
  }
  for (Argv& command : commands) {
    command = joined({podman.program, podman.which, "exec", "--user", "0", "--env",
                      "DEBIAN_FRONTEND=noninteractive", container_id},
                     command);
  }
  return commands;
}

const char* to_string(Method method) {
  for (const auto& [value, name] : kNames) {
    if (value == method) return name;
  }
  return "?";
}

Result<Method> read_method(const std::string& text) {
  for (const auto& [value, name] : kNames) {
    if (text == name) return value;
  }
  return Error{
      ErrorKind::usage, "--method '" + one_line(text, 40) + "' is none of auto, netns, exec, sidecar", {}};
}

}  // namespace podshark::extcap
