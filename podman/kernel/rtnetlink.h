// SPDX-License-Identifier: GPL-2.0-or-later
// rtnetlink(7) on sockets that somebody else opened, possibly in another network namespace: a netlink socket
// keeps the namespace it was created in, so no thread here ever changes its own.
#pragma once

#include <vector>

#include "podman/core/result.h"
#include "podman/model/link.h"

namespace podshark::kernel {

/// All links with their addresses, by ifindex. Blocks for at most a second on a kernel that does not answer.
[[nodiscard]] Result<std::vector<model::Link>> list_links(int netlink_fd);

/// Makes `netlink_fd` deliver link and address changes (RTMGRP_LINK, IPv4 and IPv6 addresses), non-blocking.
/// Use another socket than for list_links.
[[nodiscard]] Status subscribe_links(int netlink_fd);

/// Empties the queue of a subscribed socket. True when something changed, an overflow included: read
/// list_links again.
[[nodiscard]] bool drain_changes(int netlink_fd);

}  // namespace podshark::kernel
