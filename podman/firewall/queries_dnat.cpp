// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "podman/firewall/queries.h"
#include "podman/firewall/ways.h"

namespace podshark::firewall {
namespace {

// netavark's comment on the jump to a port's chain: "dnat name: NET id: ID".
void read_owner(const std::string& comment, Dnat& out) {
  constexpr std::string_view kName = "dnat name: ";
  constexpr std::string_view kId = " id: ";
  const std::size_t id = comment.rfind(kId);
  if (!comment.starts_with(kName) || id == std::string::npos || id < kName.size()) return;
  out.network = comment.substr(kName.size(), id - kName.size());
  out.owner = comment.substr(id + kId.size());
}

Dnat make_dnat(const Found& found) {
  const Conditions& c = found.conditions;
  Dnat out;
  out.family = c.family;
  out.protocol = c.protocol.value_or(0);
  out.host = c.host.value_or(std::vector<AddressRange>{});
  out.source = c.source.value_or(std::vector<AddressRange>{});
  out.ports = c.ports.value_or(std::vector<NumberRange>{});
  out.only_local = c.only_local;
  out.conditions = c.others;
  out.target = found.statement.nat;
  out.rule = found.place;
  if (out.family == Family::any && out.target.address) {
    out.family = out.target.address->first.is_v4() ? Family::ip : Family::ip6;
  }
  read_owner(found.comment, out);
  return out;
}

template <typename Range, typename T>
bool any_contains(const std::vector<Range>& ranges, const T& value) {
  return ranges.empty() ||
         std::any_of(ranges.begin(), ranges.end(), [&](const Range& r) { return r.contains(value); });
}

}  // namespace

bool Dnat::takes(Family of, std::uint8_t proto, const IpAddress& address, std::uint16_t port) const {
  return (family == Family::any || family == of) && (protocol == 0 || protocol == proto) &&
         any_contains(host, address) && any_contains(ports, port);
}

std::uint16_t Dnat::port_for(std::uint16_t host_port) const {
  if (!target.ports) return host_port;
  const std::uint32_t first = target.ports->first;
  if (!target.base) return target.ports->contains(host_port) ? host_port : static_cast<std::uint16_t>(first);
  const std::uint32_t count = target.ports->last - first + 1;
  const std::uint32_t distance = (static_cast<std::uint32_t>(host_port) - *target.base) & 0xFFFFU;
  return static_cast<std::uint16_t>(first + distance % count);
}

std::vector<Dnat> dnats(const Ruleset& rules, Hook hook) {
  std::vector<Dnat> out;
  std::size_t work = 0;
  const ChainIndex index(rules);
  for (const Chain* base : base_chains(rules, hook, Family::any)) {
    if (base->type != ChainType::nat) continue;
    each_way(index, *base, work, [&](const Found& found) {
      const Action a = found.statement.action;
      if (out.size() < kMaxDnats && (a == Action::dnat || a == Action::redirect))
        out.push_back(make_dnat(found));
    });
  }
  return out;
}

const Dnat* first_for_anybody(const std::vector<Dnat>& all, std::uint8_t protocol, const IpAddress& address,
                              std::uint16_t port) {
  const Family family = address.is_v4() ? Family::ip : Family::ip6;
  const auto found = std::find_if(all.begin(), all.end(), [&](const Dnat& d) {
    return d.for_anybody() && d.takes(family, protocol, address, port);
  });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace podshark::firewall
