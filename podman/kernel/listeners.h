// SPDX-License-Identifier: GPL-2.0-or-later
// Who listens in a network namespace, from /proc/PID/net/{tcp,tcp6,udp,udp6}: readable without entering it,
// for a rootful container by anybody.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "podman/model/net_state.h"

namespace podshark::kernel {

/// Appends the TCP listeners, or the unconnected UDP sockets, of one file; lines of another shape are
/// skipped. Pure.
void add_listeners(std::string_view text, bool udp, bool v6, std::vector<model::Listener>& out);

/// Those of the namespace that `pid` is in, by port; nothing when they can not be read, as of a process that
/// has ended. Without owners.
[[nodiscard]] std::optional<std::vector<model::Listener>> listeners_of(pid_t pid,
                                                                       const std::string& proc = "/proc");

}  // namespace podshark::kernel
