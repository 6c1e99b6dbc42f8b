// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/matching.h"

#include <netinet/in.h>

#include <algorithm>
#include <variant>

namespace podshark::firewall {
namespace {

Tri tri(bool b) {
  return b ? Tri::yes : Tri::no;
}

// A number of the packet: known, unknown, or absent because the packet has no such thing.
struct Number {
  enum { absent, known, unknown } state = unknown;
  std::uint32_t value = 0;
};

Number known(std::uint32_t value) {
  return {Number::known, value};
}

template <typename T>
Number maybe(bool has, const std::optional<T>& value) {
  if (!has) return {Number::absent, 0};
  return value ? known(*value) : Number{};
}

bool has_ports(const Packet& p) {
  return p.protocol == IPPROTO_TCP || p.protocol == IPPROTO_UDP || p.protocol == IPPROTO_SCTP ||
         p.protocol == IPPROTO_DCCP || p.protocol == IPPROTO_UDPLITE;
}

bool has_icmp(const Packet& p) {
  return p.family == Family::ip6 ? p.protocol == IPPROTO_ICMPV6 : p.protocol == IPPROTO_ICMP;
}

Number tcp_flags(const Packet& p) {
  constexpr std::uint32_t kSyn = 0x02;
  if (p.protocol == IPPROTO_TCP && !p.tcp_flags && p.ct_state == CtState::fresh) return known(kSyn);
  return maybe(p.protocol == IPPROTO_TCP, p.tcp_flags);
}

Number number_of(Field field, const Packet& p) {
  switch (field) {
    case Field::family:
      return known(p.family == Family::ip6 ? 6 : 4);
    case Field::protocol:
      return known(p.protocol);
    case Field::sport:
      return maybe(has_ports(p), p.sport);
    case Field::dport:
      return maybe(has_ports(p), p.dport);
    case Field::ct_state:
      return known(static_cast<std::uint32_t>(p.ct_state));
    case Field::ct_dnat:
      return known(p.ct_dnat ? 1 : 0);
    case Field::ct_direction:
      return known(p.reply ? 1 : 0);
    case Field::icmp_type:
      return maybe(has_icmp(p), p.icmp_type);
    case Field::icmp_code:
      return maybe(has_icmp(p), p.icmp_code);
    case Field::tcp_flags:
      return tcp_flags(p);
    default:
      return {};
  }
}

// The type of an address, as far as it can be told without the routing table.
Tri type_fits(const NumberRange& wanted, const IpAddress& address, const std::optional<bool>& local) {
  constexpr auto kLocal = static_cast<std::uint32_t>(AddressType::local);
  constexpr auto kMulticast = static_cast<std::uint32_t>(AddressType::multicast);
  const bool v4 = address.is_v4();
  if (v4 ? (address.bytes[12] & 0xF0U) == 0xE0 : address.bytes[0] == 0xFF)
    return tri(wanted.contains(kMulticast));
  if (local.value_or(address.loopback())) return tri(wanted.contains(kLocal));
  if (!local) return Tri::unknown;
  const bool only_local = wanted.first == kLocal && wanted.last == kLocal;
  const bool only_multicast = wanted.first == kMulticast && wanted.last == kMulticast;
  if (only_local || only_multicast) return Tri::no;
  const bool unicast =
      v4 ? address.bytes[15] != 0xFF : true;  // else perhaps the broadcast address of a subnet
  return unicast ? tri(wanted.contains(static_cast<std::uint32_t>(AddressType::unicast))) : Tri::unknown;
}

Tri mark_fits(const NumberRange& wanted, std::uint32_t mask, const Mark& mark) {
  const std::uint32_t value = mark.value & mask;
  if ((mark.unknown & mask) == 0) return tri(wanted.contains(value));
  const std::uint32_t sure = mask & ~mark.unknown;
  const bool one = wanted.first == wanted.last;
  return one && ((value ^ wanted.first) & sure) != 0 ? Tri::no : Tri::unknown;
}

Tri number_fits(const NumberRange& wanted, const Match& match, Field field, const Packet& p) {
  switch (field) {
    case Field::mark:
      return mark_fits(wanted, match.mask, p.mark);
    case Field::ct_mark:
      return mark_fits(wanted, match.mask, p.ct_mark);
    case Field::saddr_type:
      return type_fits(wanted, p.saddr, p.saddr_local);
    case Field::daddr_type:
      return type_fits(wanted, p.daddr, p.daddr_local);
    default:
      break;
  }
  const Number n = number_of(field, p);
  if (n.state != Number::known) return n.state == Number::absent ? Tri::no : Tri::unknown;
  return tri(wanted.contains(n.value & match.mask));
}

Tri anybody_fits(const AddressRange& wanted, const Packet& p) {
  if (wanted == AddressRange::prefix(p.saddr, 0)) return Tri::yes;
  const bool nobodys = std::any_of(p.nobodys.begin(), p.nobodys.end(), [&](const AddressRange& one) {
    return one.contains(wanted.first) && one.contains(wanted.last);
  });
  return nobodys || wanted.first.is_v4() != p.saddr.is_v4() ? Tri::no : Tri::unknown;
}

Tri value_fits(const Value& value, const Match& match, Field field, const Packet& p) {
  if (field == Field::unknown) return Tri::unknown;
  if (std::holds_alternative<Anything>(value)) return Tri::yes;
  if (const auto* wanted = std::get_if<NumberRange>(&value)) return number_fits(*wanted, match, field, p);
  if (const auto* wanted = std::get_if<AddressRange>(&value)) {
    if (field != Field::saddr && field != Field::daddr) return Tri::unknown;
    if (field == Field::saddr && p.source_rewritten) return Tri::unknown;
    if (field == Field::saddr ? p.saddr_anybody : p.daddr_anybody) return anybody_fits(*wanted, p);
    return tri(wanted->contains(field == Field::saddr ? p.saddr : p.daddr));
  }
  const auto* wanted = std::get_if<LinkName>(&value);
  if (wanted == nullptr || (field != Field::iif && field != Field::oif)) return Tri::unknown;
  return tri(wanted->fits(field == Field::iif ? p.iif : p.oif));
}

// A rule that asks for ports or ICMP types of a packet that has none does not match, negated or not.
bool lacks(const Match& match, const Packet& p) {
  for (const Field f : match.fields) {
    if (number_of(f, p).state == Number::absent) return true;
  }
  return false;
}

}  // namespace

Tri row_fits(const Match& match, std::size_t row, const Packet& packet) {
  Tri out = Tri::yes;
  for (std::size_t i = 0; i < match.fields.size(); ++i) {
    const Tri one =
        value_fits((*match.values)[row * match.fields.size() + i], match, match.fields[i], packet);
    if (one == Tri::no) return Tri::no;
    if (one == Tri::unknown) out = Tri::unknown;
  }
  return out;
}

Tri fits(const Match& match, const Packet& packet) {
  if (match.is(Field::unknown)) return Tri::unknown;
  if (lacks(match, packet)) return Tri::no;
  Tri any = Tri::no;
  for (std::size_t row = 0; row < match.rows() && any != Tri::yes; ++row) {
    const Tri one = row_fits(match, row, packet);
    if (one != Tri::no) any = one;
  }
  if (!match.negated || any == Tri::unknown) return any;
  return any == Tri::yes ? Tri::no : Tri::yes;
}

}  // namespace podshark::firewall
