// SPDX-License-Identifier: GPL-2.0-or-later
// How TCP connections fare, by sock_diag(7).
#pragma once

#include <vector>

#include "podman/core/result.h"
#include "podman/model/connection.h"

namespace podshark::kernel {

/// Established connections of the namespace that this process is in, at most `max`. No privilege needed.
[[nodiscard]] Result<std::vector<model::TcpState>> tcp_states(std::size_t max = 65536);

}  // namespace podshark::kernel
