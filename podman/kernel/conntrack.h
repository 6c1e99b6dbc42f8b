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

}  // namespace podshark::kernel
