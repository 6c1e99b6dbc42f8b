// SPDX-License-Identifier: GPL-2.0-or-later
// Whose packet it is: addresses and ports from the first bytes of a captured frame. Pure; frames are hostile.
#pragma once

#include <cstddef>
#include <cstdint>

#include "podman/core/ip_address.h"

namespace podshark::extcap::top {

/// Enough for Ethernet, two VLAN tags, IPv4 with all its options or IPv6 with short extension headers, and
/// ports.
inline constexpr std::uint32_t kFlowSnaplen = 96;

/// `ip` false: not IP, or cut off before the addresses. Ports are 0 when the protocol has none, in later
/// fragments, and when they lie beyond what was captured.
struct PacketFlow {
  bool ip = false;
  bool ports = false;
  bool opens = false;         ///< TCP SYN: the destination is asked for a service
  bool accepts = false;       ///< TCP SYN+ACK: the source serves
  std::uint8_t protocol = 0;  ///< IPPROTO_*, of IPv6 the one behind the extension headers
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  IpAddress source;
  IpAddress destination;
};

/// `linktype` as in wire::LinkEncoding; any other gives a flow that is not IP. Reads nothing beyond `size`.
[[nodiscard]] PacketFlow read_flow(std::uint16_t linktype, const std::uint8_t* data, std::size_t size);

}  // namespace podshark::extcap::top
