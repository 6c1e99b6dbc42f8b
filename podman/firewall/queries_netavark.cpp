// SPDX-License-Identifier: GPL-2.0-or-later
// netavark's own chains: names of netavark 1.4 to 1.17, src/firewall/varktables and nft.rs.
#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "podman/firewall/queries.h"
#include "podman/firewall/ways.h"

namespace podshark::firewall {
namespace {

bool is_netavark_name(std::string_view chain) {
  return chain.starts_with("NETAVARK-") || chain.starts_with("NETAVARK_");
}

bool is_netavark_table(const Chain& c) {
  return c.maker == Maker::nft && c.family == Family::inet && c.table == "netavark";
}

// "NETAVARK_ISOLATION_1" of iptables, "NETAVARK-ISOLATION-1" of nftables.
bool is_isolation(std::string_view name, char number) {
  return is_netavark_name(name) && name.size() == 20 && name.substr(9, 9) == "ISOLATION" &&
         name.back() == number;
}

bool is_foreign(const Statement& s) {
  const bool jump = s.action == Action::jump || s.action == Action::go_to;
  return s.action != Action::nothing && !(jump && is_netavark_name(s.target));
}

// The only link name that a rule asks for, not negated; null when there is none.
const LinkName* link_of(const Rule& r, Field field) {
  for (const Match& m : r.matches) {
    if (!m.is(field) || m.negated || m.rows() != 1) continue;
    if (const auto* name = std::get_if<LinkName>(&m.values->front())) return name;
  }
  return nullptr;
}

std::string full_name(const LinkName& name) {
  return name.prefix ? name.name + "*" : name.name;
}

// The links to which the rules of a second or third isolation chain drop, jumps included.
std::vector<std::string> dropped_links(const ChainIndex& index, const Chain& from) {
  std::vector<std::string> out;
  std::size_t work = 0;
  each_way(index, from, work, [&](const Found& found) {
    const LinkName* link = link_of(*found.place.rule, Field::oif);
    if (found.statement.action != Action::drop || link == nullptr) return;
    std::string name = full_name(*link);
    if (out.size() < kMaxChains && std::find(out.begin(), out.end(), name) == out.end())
      out.push_back(std::move(name));
  });
  return out;
}

}  // namespace

bool is_netavark(const Chain& chain) {
  return is_netavark_table(chain) || is_netavark_name(chain.name);
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

std::vector<const Chain*> foreign_chains(const Ruleset& rules, Hook hook) {
  std::vector<const Chain*> out = base_chains(rules, hook, Family::any);
  std::erase_if(out, [](const Chain* c) {
    if (is_netavark_table(*c)) return true;
    if (c->policy == Policy::drop) return false;
    return std::none_of(c->rules.begin(), c->rules.end(), [](const Rule& r) {
      return std::any_of(r.statements.begin(), r.statements.end(), is_foreign);
    });
  });
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

std::vector<Isolation> isolations(const Ruleset& rules) {
  std::vector<Isolation> out;
  const ChainIndex index(rules);
  std::size_t work = 0;
  std::map<const Chain*, std::vector<std::string>> known;  // links that a chain drops to
  for (const Chain* base : base_chains(rules, Hook::forward, Family::any)) {
    each_way(index, *base, work, [&](const Found& found) {
      const Place& at = found.place;
      const Statement& s = found.statement;
      const bool strict = is_isolation(s.target, '3');
      if (s.action != Action::jump || !is_isolation(at.chain->name, '1') ||
          (!strict && !is_isolation(s.target, '2')))
        return;
      const LinkName* from = link_of(*at.rule, Field::iif);
      const Chain* to = index.find(*at.chain, s.target);
      if (from == nullptr || to == nullptr || out.size() >= kMaxChains) return;
      const auto [links, fresh] = known.try_emplace(to);
      if (fresh) links->second = dropped_links(index, *to);
      Isolation i{found.conditions.family, full_name(*from), links->second, strict, at};
      std::erase(i.to, i.from);  // the rule itself lets packets stay on their bridge: ! -o
      if (!i.to.empty()) out.push_back(std::move(i));
    });
  }
  return out;
}

}  // namespace podshark::firewall
