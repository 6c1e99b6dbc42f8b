// SPDX-License-Identifier: GPL-2.0-or-later
// How packets are obtained: by sockets in the container's network namespace, or as the stream of a capture
// program. Pure: command lines only, nothing is run here.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "podman/core/result.h"
#include "podman/model/inventory.h"

namespace podshark::extcap {

enum class Method {
  automatic,  ///< netns; where that is not permitted, exec, then sidecar
  netns,      ///< our own sockets in the network namespace
  exec,       ///< tcpdump or dumpcap of the container, through podman exec
  sidecar,    ///< tcpdump in a container of a given image beside it, through podman run
};

struct MethodOptions {
  Method method = Method::automatic;
  std::string sidecar_image;
  std::string agent_image;     ///< with podshark-agent, for an ephemeral container of a Kubernetes pod
  std::string node_image;      ///< of a privileged pod on the node of a Kubernetes pod; empty: none is made
  std::string node_namespace;  ///< in which it is made; empty: that of the other pod
  bool install_tool = false;   ///< a container without tcpdump gets it from its own package manager
  bool all_host = false;       ///< host network: everything, not only the container's ports

  [[nodiscard]] bool by_tool() const { return method == Method::exec || method == Method::sidecar; }
};

/// What a capture program is told.
struct StreamSpec {
  std::string link = "any";
  std::string filter;  ///< libpcap syntax
  std::uint32_t snaplen = 262144;
  bool promiscuous = true;
  std::size_t buffer_bytes = 8U << 20U;  ///< the program's ring
};

using Argv = std::vector<std::string>;
[[nodiscard]] Argv joined(Argv first, const Argv& second);

/// pcap on stdout, each packet at once. The order of words is that of their manuals; no value can be taken
/// for an option.
[[nodiscard]] Argv tcpdump_argv(const StreamSpec& spec);
[[nodiscard]] Argv dumpcap_argv(const StreamSpec& spec);

/// `argv` under a lease: when stdin ends it gets SIGTERM, after a second SIGKILL. Without argv[0] in PATH:
/// exit code kNoTool, and a line on stderr for each program in its place that is there (see found_tools()).
/// With beats: also when it has brought nothing for six seconds; each is answered by a line kAlive on stderr,
/// whose end is an end, too. What ends for want of beats says kUnheard there: the line may come back.
enum class Lease { end_of_stdin, beats };
[[nodiscard]] Argv leased(const Argv& argv, Lease lease = Lease::end_of_stdin);
inline constexpr int kNoTool = 97;
inline constexpr const char* kAlive = "podshark-alive";
inline constexpr const char* kUnheard = "podshark-unheard";

/// Who is asked: podman's program and one word that says which podman.
struct Podman {
  std::string program = "podman";
  std::string which = "--remote=false";
};
inline constexpr const char* kRootSocket = "/run/podman/podman.sock";
/// The podman that runs `container`, as far as `caller` may use it. `root_socket`: the caller may write to
/// root's socket.
[[nodiscard]] Result<Podman> podman_of(const model::Container& container, uid_t caller, bool root_socket);

/// podman exec of a leased `tool`, as the container's root with every capability, which podman does not give
/// by default.
[[nodiscard]] Argv exec_argv(const Podman& podman, const std::string& container_id, const Argv& tool);

struct SidecarSpec {
  std::string image;
  std::string name;          ///< of the new container
  std::string container_id;  ///< whose network it shares, …
  pid_t pid = 0;             ///< … by the namespace of this process of it
  bool own_userns = false;   ///< the container has a user namespace of its own, which owns its network
};
/// podman run of `tool` in the network namespace of a container, under a lease that also removes the sidecar
/// when podman is stopped at an awkward moment. As nobody, with CAP_NET_RAW and no other capability.
[[nodiscard]] Argv sidecar_argv(const Podman& podman, const SidecarSpec& sidecar, const Argv& tool);

/// The leased `tool` behind words that bring it into a network namespace: nsenter(1), sudo(8).
[[nodiscard]] Argv entered_argv(const Argv& enter, const Argv& tool);

/// The commands, in order, that install tcpdump in a container with its package manager: apt-get, apk or dnf;
/// empty for anything else.
[[nodiscard]] std::vector<Argv> install_argvs(const Podman& podman, const std::string& container_id,
                                              const std::string& manager);

/// "auto", "netns", … and back.
[[nodiscard]] const char* to_string(Method method);
[[nodiscard]] Result<Method> read_method(const std::string& text);

}  // namespace podshark::extcap
