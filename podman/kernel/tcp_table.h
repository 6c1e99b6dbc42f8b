// SPDX-License-Identifier: GPL-2.0-or-later
// The TCP sockets of a network namespace from /proc/PID/net/tcp and tcp6, readable without entering it; those
// of UDP (udp, udp6) have the same shape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "podman/core/ip_address.h"

namespace podshark::kernel {

inline constexpr std::uint8_t kTcpEstablished = 1;  // include/net/tcp_states.h
inline constexpr std::uint8_t kTcpTimeWait = 6;
inline constexpr std::uint8_t kTcpListen = 10;
inline constexpr std::uint8_t kUdpOpen = 7;  // TCP_CLOSE: not connected

struct TcpSocket {
  IpAddress local;
  IpAddress remote;
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;
  std::uint8_t state = 0;
  std::uint32_t receive_queue = 0;  ///< bytes not read; of a listener: connections not accepted
  std::uint32_t timer_ms = 0;  ///< until its timer ends; in kTcpTimeWait that began when the connection ended
  std::uint64_t inode = 0;     ///< of the socket; 0 while no process has accepted it
};

/// Appends the sockets of one file; lines of another shape are skipped.
void add_tcp_sockets(std::string_view text, std::vector<TcpSocket>& out);

/// Established connections. One whose both ends are in the namespace has two sockets and counts once.
[[nodiscard]] std::size_t count_connections(const std::vector<TcpSocket>& sockets);

/// Ports with a listener, ascending, each once.
[[nodiscard]] std::vector<std::uint16_t> listening_ports(const std::vector<TcpSocket>& sockets);

}  // namespace podshark::kernel
