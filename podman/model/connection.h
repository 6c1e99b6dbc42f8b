// SPDX-License-Identifier: GPL-2.0-or-later
// Connections as the kernel knows them. Plain data.
#pragma once

#include <compare>
#include <cstdint>

#include "podman/core/ip_address.h"

namespace podshark::model {

/// An entry of connection tracking. What comes back is `reply`: it differs from the reverse of `orig` by NAT.
struct Conntrack {
  struct Tuple {
    IpAddress source, destination;
    std::uint16_t source_port = 0, destination_port = 0;  ///< 0 where the protocol has none
    auto operator<=>(const Tuple&) const = default;
  };
  std::uint32_t id = 0;       ///< the same as long as it is tracked
  std::uint8_t protocol = 0;  ///< IPPROTO_*
  Tuple orig, reply;
  bool seen_reply = false;
  bool assured = false;
  std::int64_t began_ns = 0;  ///< CLOCK_REALTIME; 0: the kernel does not keep it (nf_conntrack_timestamp)
  bool operator==(const Conntrack&) const = default;
  /// Addresses or ports differ on the two sides of the translation.
  [[nodiscard]] bool translated() const {
    return !(orig == Tuple{reply.destination, reply.source, reply.destination_port, reply.source_port});
  }
};

/// A TCP connection's inner state (struct tcp_info of linux/tcp.h).
struct TcpState {
  IpAddress local, remote;
  std::uint16_t local_port = 0, remote_port = 0;
  std::uint32_t path_mtu = 0;
  std::uint32_t backoff = 0;   ///< time-outs in a row
  std::uint32_t unacked = 0;   ///< segments
  std::uint32_t lost = 0;      ///< segments taken for lost
  std::uint32_t not_sent = 0;  ///< bytes that wait
  bool operator==(const TcpState&) const = default;
};

}  // namespace podshark::model
