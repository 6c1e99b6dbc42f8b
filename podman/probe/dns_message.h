// SPDX-License-Identifier: GPL-2.0-or-later
// The little of RFC 1035 that asking for addresses takes. Pure. Answers are bounded by their length and never
// followed: compressed names are only skipped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "podman/core/ip_address.h"

namespace podshark::probe {

inline constexpr std::uint16_t kDnsA = 1;
inline constexpr std::uint16_t kDnsAaaa = 28;

/// Nothing when `name` is no host name: empty, longer than 253 bytes, a label empty or longer than 63 bytes.
/// A dot at the end is allowed. "." asks for the root (type NS whatever `type` says): any server can answer
/// it.
[[nodiscard]] std::optional<std::string> dns_query(std::uint16_t id, const std::string& name,
                                                   std::uint16_t type);

struct DnsReply {
  std::uint16_t id = 0;
  int code = 0;                      ///< RCODE: 0 no error, 2 server failure, 3 no such name, 5 refused
  std::vector<IpAddress> addresses;  ///< at most kMaxDnsAddresses
};
inline constexpr std::size_t kMaxDnsAddresses = 16;

/// Nothing when `message` is no answer. What follows the first damaged record is left out.
[[nodiscard]] std::optional<DnsReply> parse_dns_reply(std::string_view message);

/// "no such name", "server failure"…
[[nodiscard]] std::string dns_code_text(int code);

}  // namespace podshark::probe
