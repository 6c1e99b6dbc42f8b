// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "podman/core/result.h"
#include "podman/discover/proc_sockets.h"
#include "podman/model/inventory.h"

namespace podshark::extcap {

/// How the traffic of a container in the host's network is told from the host's own.
struct HostLimit {
  std::string filter;  ///< libpcap syntax, "tcp port 80 or udp port 53"
  std::string words;   ///< "to tcp 80, udp 53"
};

/// More ports than this make no filter that the kernel takes; listeners come first.
inline constexpr std::size_t kMaxHostPorts = 128;

/// From the ports that its processes hold and those that podman publishes. Pure. None:
/// ErrorKind::unsupported; none because they could not be read: ErrorKind::permission.
[[nodiscard]] Result<HostLimit> limit_to_ports(const model::Container& container,
                                               const discover::HeldPorts& held);

}  // namespace podshark::extcap
