// SPDX-License-Identifier: GPL-2.0-or-later
// Finds the same packet again at another place of its way, whatever address translation did to it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "podman/trace/headers.h"

namespace podshark::trace {

struct Content {
  Headers headers;
  /// Equal for the same packet at two places. Made of what routers and NAT leave as it is: lengths, IPv4
  /// identification, sequence numbers, flags, options and the first bytes of the payload; not of addresses,
  /// ports, TTL, TOS and checksums.
  std::uint64_t key = 0;
  std::uint32_t bytes = 0;  ///< TCP: how much of the sequence space it takes, from headers.seq on
};

/// Bytes of payload that are compared when the capture has them.
inline constexpr std::size_t kComparedPayload = 48;

/// Nothing for a packet that may look different elsewhere, or goes to several: fragments (connection tracking
/// puts them together), multicast and broadcast, link-local and loopback addresses, ICMP but echoes (errors
/// quote addresses), protocols other than TCP, UDP, SCTP; and for one of which too little was captured.
/// `packet` begins with its IP header. `payload`: compare at most so many bytes.
[[nodiscard]] std::optional<Content> content_of(std::span<const std::uint8_t> packet,
                                                std::size_t payload = kComparedPayload);

/// Equal for all packets of one direction; `reversed`: of the other.
[[nodiscard]] std::uint64_t connection_key(const Headers& headers, bool reversed);

/// The part of an Ethernet frame (VLAN tags are skipped) from the IP header on; empty: it has none.
[[nodiscard]] std::span<const std::uint8_t> ip_in_ethernet(std::span<const std::uint8_t> frame);

}  // namespace podshark::trace
