// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel shows of a traced packet: its network header and the beginning of its transport header.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "podman/core/ip_address.h"

namespace podshark::trace {

struct Headers {
  bool v4 = true;
  IpAddress src;
  IpAddress dst;
  std::uint8_t protocol = 0;  ///< IPPROTO_*; of IPv6 with extension headers the first one's
  std::uint16_t ip_id = 0;    ///< IPv4 only
  std::uint16_t length = 0;   ///< IPv4: total length; IPv6: payload length
  bool transport = false;     ///< what follows is known
  std::uint16_t sport = 0;    ///< of an ICMP echo its id, likewise dport
  std::uint16_t dport = 0;
  std::uint32_t seq = 0;
  std::uint8_t tcp_flags = 0;
  std::uint8_t icmp_type = 0;
  std::uint8_t icmp_code = 0;
};

/// Both parts as the kernel cuts them (nft trace: at most 40 and 20 bytes). Nothing when `network` is neither
/// IPv4 nor IPv6 or too short; a `transport` that is too short is left out.
[[nodiscard]] std::optional<Headers> parse_headers(std::string_view network, std::string_view transport);
/// A packet from its network header on.
[[nodiscard]] std::optional<Headers> parse_packet(std::string_view packet);

/// Of an ICMP or ICMPv6 packet: it is an echo request or reply.
[[nodiscard]] bool is_echo(const Headers& headers);

/// The same packet at another place of its way: one of its ends may have been translated.
[[nodiscard]] bool same_packet(const Headers& a, const Headers& b);

/// "tcp 10.88.0.2:40000 → 10.88.0.3:80 (SYN)".
[[nodiscard]] std::string to_string(const Headers& headers);
/// "10.88.0.2:80", "[fd00::2]:80", without ports the address.
[[nodiscard]] std::string source_text(const Headers& headers);
[[nodiscard]] std::string destination_text(const Headers& headers);

}  // namespace podshark::trace
