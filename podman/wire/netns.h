// SPDX-License-Identifier: GPL-2.0-or-later
// Entering a network namespace. C library only: shared by podshark, the worker and the static agent.
#pragma once

#include <cstdint>

namespace podshark::wire {

/// Joins the network namespace behind `netns_fd` for the calling thread, first joining the user namespace
/// that owns it where the kernel asks for that. The caller must be single-threaded (setns(2): CLONE_NEWUSER
/// fails with EINVAL otherwise) and should be a short-lived child: there is no way back.
/// Returns 0, or a negative errno.
int join_netns(int netns_fd);

/// Inode number behind a namespace descriptor, 0 on failure.
std::uint64_t ns_inode(int ns_fd);

/// Creates a socket for `domain`, `type`, `protocol` with SO_NETNS_COOKIE in `*cookie` (0 on kernels
/// before 5.14). Returns the descriptor (close-on-exec) or a negative errno.
int open_socket(int domain, int type, int protocol, std::uint64_t* cookie);

}  // namespace podshark::wire
