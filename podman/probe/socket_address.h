// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/socket.h>

#include "podman/probe/attempt.h"

namespace podshark::probe {

/// A sockaddr_in or sockaddr_in6.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

[[nodiscard]] SocketAddress to_sockaddr(const Endpoint& endpoint);
/// Empty for other families.
[[nodiscard]] Endpoint from_sockaddr(const sockaddr* address);

}  // namespace podshark::probe
