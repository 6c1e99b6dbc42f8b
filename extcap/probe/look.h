// SPDX-License-Identifier: GPL-2.0-or-later
// What /proc shows around a probe: the second witness.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "extcap/probe/aim.h"
#include "extcap/probe/source.h"
#include "podman/kernel/tcp_table.h"
#include "podman/probe/conclude.h"

namespace podshark::extcap::probing {

/// Sockets of one namespace and one protocol.
struct SocketTable {
  bool known = false;
  std::vector<kernel::TcpSocket> sockets;
};
/// `proc`: the process's directory, "/proc/812". Reads its net/tcp and tcp6, or udp and udp6.
[[nodiscard]] SocketTable read_table(const std::string& proc, bool udp);

/// Ports with a listener (TCP) or an open socket (UDP) that can be reached from outside, ascending.
[[nodiscard]] std::vector<std::uint16_t> reachable_ports(const model::Container& container, bool udp);

/// Pure parts. `aim.to` decides whether a listener on loopback counts.
[[nodiscard]] probe::Inside look_inside(const SocketTable& table, const Aim& aim,
                                        const probe::Attempt& attempt);
[[nodiscard]] probe::ServerEnd find_server_end(const SocketTable& table, const probe::Attempt& attempt);
[[nodiscard]] std::vector<std::uint16_t> reachable_ports(const SocketTable& table, bool udp);

/// Recv-Q of whoever holds the published port on the host.
[[nodiscard]] std::optional<std::uint32_t> held_now(const Aim& aim);

/// Everything conclude() wants to know; call it while the probe's socket is still open.
[[nodiscard]] probe::Evidence look(const Source& source, const Aim& aim, const probe::Attempt& attempt,
                                   std::chrono::milliseconds timeout);

}  // namespace podshark::extcap::probing
