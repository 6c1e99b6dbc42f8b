// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace podshark::worker {

/// Answers requests on `channel` (SOCK_SEQPACKET) until the peer closes it. Each request is handled by a
/// fresh child that enters the namespace, passes the sockets and exits: this process never changes its own
/// namespaces. The caller must be single-threaded.
///
/// With privileges its user does not have (the installed worker: uid not 0, file capabilities permitted) only
/// podman's namespaces are served; otherwise the kernel's own checks suffice. docs/SECURITY.md, "The worker".
void serve(int channel);

}  // namespace podshark::worker
