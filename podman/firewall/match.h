// SPDX-License-Identifier: GPL-2.0-or-later
// What rules ask of a packet, in one vocabulary for nft and iptables.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "podman/core/ip_address.h"

namespace podshark::firewall {

/// Of a packet: ip or ip6. Of a table also the others; `any` only where nothing is known.
enum class Family { any, ip, ip6, inet, bridge, arp, netdev };

/// One property of a packet. The comment says what the values are.
enum class Field {
  unknown,       ///< something else; Match::text says what
  family,        ///< number: 4 or 6
  iif,           ///< name
  oif,           ///< name
  saddr,         ///< address
  daddr,         ///< address
  protocol,      ///< number (IPPROTO_*)
  sport,         ///< number
  dport,         ///< number
  ct_state,      ///< number (CtState)
  ct_dnat,       ///< number: 1 translated, 0 not
  ct_direction,  ///< number: 0 original, 1 reply
  mark,          ///< number, under `mask`
  ct_mark,       ///< number, under `mask`
  icmp_type,     ///< number, of ICMP and ICMPv6
  icmp_code,     ///< number
  saddr_type,    ///< number (AddressType)
  daddr_type,    ///< number (AddressType)
  tcp_flags,     ///< number, under `mask`
};

/// Conntrack's view of a packet.
enum class CtState : std::uint32_t { fresh, established, related, invalid, untracked };

/// RTN_* of linux/rtnetlink.h.
enum class AddressType : std::uint32_t {
  unspec,
  unicast,
  local,
  broadcast,
  anycast,
  multicast,
  blackhole,
  unreachable,
  prohibit,
  throw_,
  nat
};

/// Both ends included. IPv4 as ::ffff:a.b.c.d, see IpAddress.
struct AddressRange {
  IpAddress first;
  IpAddress last;
  bool operator==(const AddressRange&) const = default;
  [[nodiscard]] bool contains(const IpAddress& a) const { return first <= a && a <= last; }
  /// "10.88.0.0/16", "10.0.0.1-10.0.0.9", "10.88.0.2".
  [[nodiscard]] std::string text() const;

  /// "10.88.0.2", "10.88.0.0/16", "10.0.0.0/255.0.0.0", "10.0.0.1-10.0.0.9", IPv6 alike. Nothing for any
  /// other text, nor for a mask with holes.
  [[nodiscard]] static std::optional<AddressRange> parse(std::string_view text);
  [[nodiscard]] static std::optional<AddressRange> prefix(const IpAddress& address, unsigned length);
};

/// Both ends included.
struct NumberRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  bool operator==(const NumberRange&) const = default;
  [[nodiscard]] bool contains(std::uint32_t n) const { return first <= n && n <= last; }
  /// "80", "8000-8010".
  [[nodiscard]] std::string text() const;
};

/// A link name; with `prefix` every name that begins so ("podman*" of nft, "podman+" of iptables).
struct LinkName {
  std::string name;
  bool prefix = false;
  bool operator==(const LinkName&) const = default;
  [[nodiscard]] bool fits(std::string_view link) const;
};

/// Anything: the "*" of nft's sets and maps.
struct Anything {
  bool operator==(const Anything&) const = default;
};

using Value = std::variant<Anything, NumberRange, AddressRange, LinkName>;
using Values = std::vector<Value>;

/// The packet's `fields` are one row of `values`; with `negated` none of them. Rows stand one behind the
/// other: fields.size() values each, one unless nft concatenates ("ip saddr . tcp dport"). Shared, since a
/// named set may be large and used by many rules.
struct Match {
  std::vector<Field> fields;
  bool negated = false;
  std::uint32_t mask = 0xFFFFFFFF;
  std::shared_ptr<const Values> values;
  std::string
      text;  ///< as the tool writes it; empty when implied by a match beside it ("tcp dport" implies TCP)

  [[nodiscard]] bool is(Field field) const { return fields.size() == 1 && fields[0] == field; }
  [[nodiscard]] std::size_t rows() const {
    return values == nullptr || fields.empty() ? 0 : values->size() / fields.size();
  }
};

[[nodiscard]] Match one_of(Field field, Values values, std::string text = {});
[[nodiscard]] Match equals(Field field, std::uint32_t number, std::string text = {});
[[nodiscard]] Match unknown_match(std::string text);

/// IPPROTO_* of a name or number, "icmpv6" and "ipv6-icmp" alike. Not from /etc/protocols: rules name few.
[[nodiscard]] std::optional<std::uint32_t> protocol_number(std::string_view name);
/// "tcp", or the number.
[[nodiscard]] std::string protocol_name(std::uint32_t number);
/// Type of an ICMP or ICMPv6 message as nft and iptables call it, or a number.
[[nodiscard]] std::optional<std::uint32_t> icmp_type_number(std::string_view name, bool v6);
[[nodiscard]] std::optional<std::uint32_t> icmp_code_number(std::string_view name, bool v6);
/// "new", "ESTABLISHED", …
[[nodiscard]] std::optional<std::uint32_t> ct_state_number(std::string_view name);
/// "local", "BROADCAST", …
[[nodiscard]] std::optional<std::uint32_t> address_type_number(std::string_view name);
/// Bit of a TCP flag: "syn", "FIN".
[[nodiscard]] std::optional<std::uint32_t> tcp_flag(std::string_view name);

}  // namespace podshark::firewall
