// SPDX-License-Identifier: GPL-2.0-or-later
// netavark's own chains: names of netavark 1.4 to 1.17, src/firewall/varktables and nft.rs.
#include <algorithm>
#include <string_view>

#include "podman/firewall/conditions.h"
#include "podman/firewall/queries.h"

namespace podshark::firewall {
namespace {

bool is_netavark_name(std::string_view chain) {
  return chain.starts_with("NETAVARK-") || chain.starts_with("NETAVARK_");
}

bool is_netavark_table(const Chain& c) {
  return c.maker == Maker::nft && c.family == Family::inet && c.table == "netavark";
}

}  // namespace

bool is_netavark(const Chain& chain) {
  return is_netavark_table(chain) || is_netavark_name(chain.name);
}

bool has_cni(const Ruleset& rules) {
  return std::any_of(rules.chains.begin(), rules.chains.end(),
                     [](const Chain& c) { return c.name.starts_with("CNI-"); });
}

Netavark has_netavark(const Ruleset& rules) {
  Netavark out;
  for (const Chain& c : rules.chains) {
    if (is_netavark_table(c)) {
      out.nftables = true;
    } else if (is_netavark_name(c.name) && (c.family == Family::ip || c.family == Family::ip6)) {
      out.iptables = true;
    }
  }
  return out;
}

std::vector<PortMark> port_marks(const Ruleset& rules) {
  std::vector<PortMark> out;
  for (const Chain& c : rules.chains) {
    for (const Rule& r : c.rules) {
      const bool marks = std::any_of(r.statements.begin(), r.statements.end(), [](const Statement& s) {
        return s.action == Action::jump && s.target == "NETAVARK-HOSTPORT-SETMARK";
      });
      if (!marks || out.size() >= kMaxDnats) continue;
      Conditions all;
      if (c.family == Family::ip || c.family == Family::ip6) all.family = c.family;
      for (const Match& m : r.matches) all.add(m);
      if (all.impossible || !all.source || all.source->size() != 1) continue;
      out.push_back({all.family,
                     all.source->front(),
                     all.host.value_or(std::vector<AddressRange>{}),
                     all.protocol.value_or(0),
                     all.ports.value_or(std::vector<NumberRange>{}),
                     {&c, &r}});
    }
  }
  return out;
}

}  // namespace podshark::firewall
