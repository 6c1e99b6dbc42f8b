// SPDX-License-Identifier: GPL-2.0-or-later
// Connections that the kernel tracks (conntrack(8)), by netlink; linux/netfilter/nfnetlink_conntrack.h.
#pragma once

#include <vector>

#include "podman/core/result.h"
#include "podman/model/connection.h"

namespace podshark::kernel {

/// Every tracked connection of the namespace that this process is in, at most `max`. Needs CAP_NET_ADMIN
/// there.
[[nodiscard]] Result<std::vector<model::Conntrack>> conntrack_entries(std::size_t max = 262144);

/// Makes a NETLINK_NETFILTER socket hear of each connection that begins or ends in its namespace. Needs
/// CAP_NET_ADMIN there (EPERM). Only after it, ask for what is there already, on another socket.
[[nodiscard]] Status subscribe_conntrack(int fd);

/// Asks for all connections. The answers come like events, up to ConntrackMessage::Kind::done, all with this
/// `sequence`; they are read by the caller.
[[nodiscard]] Status request_conntrack(int fd, std::uint32_t sequence);

}  // namespace podshark::kernel
