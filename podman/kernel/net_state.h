// SPDX-License-Identifier: GPL-2.0-or-later
// What decides over a packet's way besides firewall rules: routes, neighbours and the settings of
// links, asked of rtnetlink(7) on a socket that somebody else opened. Unlike /proc/sys/net it answers
// about the socket's namespace, wherever this process is, and without privileges.
#pragma once

#include <cstdint>
#include <optional>

#include "podman/core/ip_address.h"
#include "podman/core/result.h"
#include "podman/model/net_state.h"

namespace podshark::kernel {

/// Everything above, in four dumps. What a kernel does not know is left empty; an Error when it does not
/// answer. At most kMaxEntries of each.
[[nodiscard]] Result<model::NetState> net_state(int netlink_fd);
inline constexpr std::size_t kMaxEntries = 16384;

/// The kernel's own answer (RTM_GETROUTE) to where a packet to `to` would leave.
[[nodiscard]] model::RouteAnswer route_to(int netlink_fd, const IpAddress& to);

}  // namespace podshark::kernel
