// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/chain_index.h"

#include <algorithm>
#include <utility>

namespace podshark::firewall {
namespace {

bool sees(const Chain& c, Hook hook, Family family) {
  if (c.hook != hook) return false;
  const bool device = hook == Hook::ingress || hook == Hook::egress;
  if (device) return c.family == Family::netdev || c.family == Family::inet;
  if (family == Family::any)
    return c.family == Family::ip || c.family == Family::ip6 || c.family == Family::inet;
  return c.family == family || c.family == Family::inet;
}

}  // namespace

std::string chain_key(const Chain& chain, const std::string& name) {
  const char* world = chain.maker == Maker::iptables_legacy ? "\nlegacy\n" : "\nnft\n";
  return std::string(to_string(chain.family)) + world + chain.table + '\n' + name;
}

ChainIndex::ChainIndex(const Ruleset& rules) {
  for (const Chain& c : rules.chains) chains_.try_emplace(chain_key(c, c.name), &c);
}

const Chain* ChainIndex::find(const Chain& from, const std::string& name) const {
  const auto found = chains_.find(chain_key(from, name));
  return found == chains_.end() ? nullptr : found->second;
}

std::vector<const Chain*> base_chains(const Ruleset& rules, Hook hook, Family family) {
  std::vector<const Chain*> out;
  if (hook == Hook::none) return out;
  for (const Chain& c : rules.chains) {
    if (sees(c, hook, family)) out.push_back(&c);
  }
  std::stable_sort(out.begin(), out.end(), [](const Chain* a, const Chain* b) {
    return std::pair(effective_priority(*a), a->priority) < std::pair(effective_priority(*b), b->priority);
  });
  return out;
}

}  // namespace podshark::firewall
