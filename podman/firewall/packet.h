// SPDX-License-Identifier: GPL-2.0-or-later
// One packet as rules see it, real or imagined.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "podman/firewall/ruleset.h"

namespace podshark::firewall {

/// A mark of which some bits may not be known.
struct Mark {
  std::uint32_t value = 0;
  std::uint32_t unknown = 0;  ///< bits that may be anything
  bool operator==(const Mark&) const = default;
};

/// What is not known stays empty, and rules that ask for it do not decide. An address family that the
/// addresses do not have is the caller's mistake.
struct Packet {
  Family family = Family::ip;  ///< ip or ip6
  std::string iif;             ///< empty: none, as in the output hook (not: unknown)
  std::string oif;             ///< empty: none, as in prerouting and input
  IpAddress saddr;
  IpAddress daddr;
  std::uint8_t protocol = 6;
  std::optional<std::uint16_t> sport;
  std::optional<std::uint16_t> dport;
  std::optional<std::uint8_t> icmp_type;
  std::optional<std::uint8_t> icmp_code;
  /// TCP flags; unknown ones of a new connection are taken for SYN.
  std::optional<std::uint8_t> tcp_flags;
  CtState ct_state = CtState::fresh;
  bool ct_dnat = false;  ///< conntrack's status: its destination was translated, here or at an earlier hook
  bool reply = false;    ///< conntrack's direction
  Mark mark;
  Mark ct_mark;  ///< 0 for a new connection unless a rule set it
  /// The address is one of this namespace's own. judge() forgets daddr_local when it changes the destination.
  std::optional<bool> saddr_local;
  std::optional<bool> daddr_local;
  /// The address stands for anybody: a rule that asks for less than everybody does not decide, unless whom it
  /// asks for are among `nobodys`.
  bool saddr_anybody = false;
  bool daddr_anybody = false;
  std::vector<AddressRange> nobodys;
  bool source_rewritten = false;  ///< by masquerade: saddr is still the old one, the new one the link's own
};

/// "tcp 203.0.113.2:40000 → 10.88.0.2:80 (iif wan0, oif podman0, new)".
[[nodiscard]] std::string to_string(const Packet& packet);

}  // namespace podshark::firewall
