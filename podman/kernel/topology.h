// SPDX-License-Identifier: GPL-2.0-or-later
// How the links of two network namespaces belong together, asked of rtnetlink(7) in one of them. No privilege
// is needed beyond the socket.
#pragma once

#include <sys/types.h>

#include <vector>

#include "podman/core/result.h"
#include "podman/model/link.h"

namespace podshark::kernel {

/// The id that the namespace of `netlink_fd` has for the network namespace of `pid` (RTM_GETNSID), as in
/// Link::peer_nsid; -1 when it has none. A namespace gets one when a link with its peer there is first
/// listed.
[[nodiscard]] Result<int> namespace_id(int netlink_fd, pid_t pid);

/// The veth links whose other end lies in the namespace with this id.
[[nodiscard]] std::vector<model::Link> peers_in(const std::vector<model::Link>& links, int nsid);

/// ifindexes of the default routes' links (main table), IPv4's first.
[[nodiscard]] Result<std::vector<int>> uplinks(int netlink_fd);

}  // namespace podshark::kernel
