// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/translate.h"

namespace podshark::firewall {
namespace {

// nf_nat_core.c: a port within the range stays; with a base it moves by the same distance.
std::uint16_t new_port(const NatTarget& nat, std::uint16_t old) {
  const NumberRange& range = *nat.ports;
  if (!nat.base) return range.contains(old) ? old : static_cast<std::uint16_t>(range.first);
  const std::uint32_t count = range.last - range.first + 1;
  const std::uint32_t distance = (static_cast<std::uint32_t>(old) - *nat.base) & 0xFFFFU;
  return static_cast<std::uint16_t>(range.first + distance % count);
}

std::string target_text(const NatTarget& nat) {
  std::string out;
  if (nat.address) {
    const bool v6 = !nat.address->first.is_v4() && nat.ports;
    out += (v6 ? "[" : "") + nat.address->text() + (v6 ? "]" : "");
  }
  if (nat.ports) out += ":" + nat.ports->text();
  if (nat.base) out += "/" + std::to_string(*nat.base);
  return out;
}

void new_source(const Statement& s, Packet& p) {
  if (s.nat.address && !s.nat.address->contains(p.saddr)) {
    p.saddr = s.nat.address->first;
    p.saddr_local.reset();
    p.saddr_anybody = false;
  }
  if (s.action == Action::masquerade) {
    p.source_rewritten = true;
    p.saddr_local = true;
  }
  if (s.nat.ports && p.sport) p.sport = new_port(s.nat, *p.sport);
}

void new_destination(const Statement& s, Packet& p) {
  if (s.nat.address) {
    if (!s.nat.address->contains(p.daddr)) p.daddr = s.nat.address->first;
    p.daddr_local.reset();
    p.daddr_anybody = false;
  }
  if (s.action == Action::redirect) p.daddr_local = true;
  if (s.nat.ports && p.dport) p.dport = new_port(s.nat, *p.dport);
  p.ct_dnat = true;
}

}  // namespace

bool translate(const Statement& s, Packet& p) {
  if (s.nat.address && s.nat.address->first.is_v4() != (p.family != Family::ip6)) return false;
  const bool source = s.action == Action::snat || s.action == Action::masquerade;
  source ? new_source(s, p) : new_destination(s, p);
  return true;
}

void set_mark(const MarkChange& change, Mark& mark) {
  mark.value = (mark.value & change.keep) ^ change.flip;
  mark.unknown = (mark.unknown & change.keep) | change.unknown;
}

std::string nat_text(const Statement& s) {
  const std::string target = target_text(s.nat);
  return std::string(to_string(s.action)) + (target.empty() ? "" : " to " + target);
}

}  // namespace podshark::firewall
