// SPDX-License-Identifier: GPL-2.0-or-later
// The table that makes the kernel trace packets. It decides nothing: its chains accept, and its rules only
// set the trace flag, at most fifty times a second each. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "podman/core/ip_address.h"
#include "podman/firewall/ruleset.h"

namespace podshark::trace {

/// Packets to and from one service. Numbers only: nothing that a stranger named gets into a rule.
struct Selector {
  std::optional<IpAddress> address;    ///< none: any
  std::uint8_t protocol = 6;           ///< IPPROTO_TCP, UDP, ICMP (of IPv6 addresses ICMPv6)
  std::uint16_t port = 0;              ///< of tcp and udp
  std::optional<IpAddress> peer = {};  ///< the other end; none: any
  bool operator==(const Selector&) const = default;
};

/// "podshark_trace_812".
[[nodiscard]] std::string own_table(std::uint32_t pid);

/// Called so, whoever made it.
[[nodiscard]] bool is_own_table(std::string_view name);

/// "ip saddr 10.88.0.3 ip daddr 10.88.0.2 tcp dport 80" (the peer first, if any), and the same from there:
/// the conditions of both rules.
[[nodiscard]] std::vector<std::string> conditions(const Selector& selector);

/// One line for nft's interactive mode, so that all of it is one transaction. The table belongs to that nft
/// (flags owner): the kernel removes it when nft ends, however it does. The chains `in` and `post` have no
/// rules: being the last ones of their hooks, they tell that everybody let the packet pass.
[[nodiscard]] std::string nft_command(const std::string& table, const std::vector<Selector>& selectors);

/// Hook of a chain of ours, none for other names.
[[nodiscard]] firewall::Hook own_hook(std::string_view chain);
inline constexpr std::int64_t kFirst = -350;  ///< priority of our chains that mark
inline constexpr std::int64_t kLast = 500;    ///< priority of our chains that only watch

}  // namespace podshark::trace
