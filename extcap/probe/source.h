// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "extcap/worker_client.h"
#include "podman/core/ip_address.h"
#include "podman/probe/attempt.h"

namespace podshark::extcap::probing {

/// Where probes start from, or a listener is: the host's network namespace, a container's, or another
/// machine.
struct Source {
  std::string name = "host";  ///< clean
  pid_t pid = 0;  ///< a process in it, for /proc/PID/net and /proc/PID/root; 0: the host, ourselves
  NetnsPlace netns = NetnsPlace::host();
  model::Container container;  ///< the one named; empty for the host
  std::string ssh;             ///< another machine: "ssh://[USER@]HOST[:PORT]"

  [[nodiscard]] bool host() const { return pid == 0 && ssh.empty(); }
  /// "/proc/812" or "/proc/self".
  [[nodiscard]] std::string proc() const;
};

/// The kind of socket a protocol is probed with.
enum class SocketKind { tcp, udp, icmp };
[[nodiscard]] SocketKind socket_kind(probe::Protocol protocol);

struct SocketWish {
  SocketKind kind = SocketKind::tcp;
  bool v4 = true;
};

/// One socket per wish, in their order: made here on the host, by a worker in a container. At most
/// worker::kMaxSockets. Errors say what would help.
[[nodiscard]] Result<std::vector<UniqueFd>> open_sockets(WorkerClient& worker, const Source& source,
                                                         const std::vector<SocketWish>& wishes);

/// The host's own address that packets to `to` would have. An error without a route.
[[nodiscard]] Result<IpAddress> local_address(const IpAddress& to);
/// The host's own address towards the world: what its default route would use. An error without a route.
[[nodiscard]] Result<IpAddress> host_address();

}  // namespace podshark::extcap::probing
