// SPDX-License-Identifier: GPL-2.0-or-later
// What /proc tells anybody about a container's first process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "podman/model/inventory.h"

namespace podshark::discover {

/// How many PID namespaces the process is in, counted from ours; 0 when it is gone.
[[nodiscard]] unsigned pid_namespace_depth(pid_t pid, const std::string& proc);

/// PID 1 of a nested PID namespace.
[[nodiscard]] bool is_namespace_init(pid_t pid, const std::string& proc);

/// Effective user of the process; (uid_t)-1 when it is gone.
[[nodiscard]] uid_t process_owner(pid_t pid, const std::string& proc);

/// A number that two processes share exactly when they are in the same network namespace: the inode of
/// /proc/PID/net/dev, which unlike /proc/PID/ns/net anybody may ask for. 0 when the process is gone.
[[nodiscard]] std::uint64_t netns_identity(pid_t pid, const std::string& proc);

/// Fills what follows from `pid` and `conmon_pid`: pid_start, netns inode, start time when unknown, the kind
/// when unknown and the kernel shows it (host, none), link names of known addresses, and links and addresses
/// when podman gave none. Needs `pid` != 0; leaves alone what cannot be read.
void complete_from_proc(model::Container& container, const std::string& proc);

}  // namespace podshark::discover
