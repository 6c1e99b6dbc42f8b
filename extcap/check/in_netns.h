// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "extcap/worker_client.h"
#include "podman/core/fd.h"
#include "podman/core/result.h"

namespace podshark::extcap::check {

/// Runs `job` in a child that has joined the network namespace of `place`, with no more privilege than the
/// caller has there, and returns what it gives. For what a socket can not tell: /proc/sys/net, sock_diag,
/// programs that list rules. Works for root, and for a user's own rootless containers and networks. The
/// caller must be single-threaded. The child is killed at the deadline or beyond kMaxAnswer bytes; both are
/// Errors.
[[nodiscard]] Result<std::string> in_netns(const NetnsPlace& place, const std::function<std::string()>& job,
                                           std::chrono::milliseconds deadline);
inline constexpr std::size_t kMaxAnswer = 64U << 20U;

/// A descriptor of the namespace; invalid, with errno, when it may not be opened.
[[nodiscard]] UniqueFd open_netns(const NetnsPlace& place);
/// For a child: joins it (nothing to do for the host), and lets programs that it starts keep CAP_NET_ADMIN
/// where it has that. False when it may not.
[[nodiscard]] bool enter(int netns, bool host);

}  // namespace podshark::extcap::check
