// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/merge.h"

#include <iterator>
#include <unordered_map>
#include <utility>

#include "podman/firewall/chain_index.h"

namespace podshark::firewall {
namespace {

void append_notes(Ruleset& to, const Ruleset& from) {
  for (const std::string& note : from.notes) to.note(note);
}

// The rules of iptables-save in place of nft's view of them.
void take_rules(Chain& into, Chain&& from) {
  const bool same = into.rules.size() == from.rules.size();
  for (std::size_t i = 0; same && i < from.rules.size(); ++i) {
    from.rules[i].handle = into.rules[i].handle;
    if (!from.rules[i].counters) from.rules[i].counters = into.rules[i].counters;
  }
  into.rules = std::move(from.rules);
  into.maker = from.maker;
  if (from.policy_counters) into.policy_counters = from.policy_counters;
}

void put_in_place(Ruleset& into, Ruleset&& from) {
  std::unordered_map<std::string, std::size_t> at;
  for (std::size_t i = 0; i < into.chains.size(); ++i)
    at.try_emplace(chain_key(into.chains[i], into.chains[i].name), i);
  for (Chain& c : from.chains) {
    const auto found = at.find(chain_key(c, c.name));
    if (found == at.end()) {
      into.chains.push_back(std::move(c));
    } else {
      take_rules(into.chains[found->second], std::move(c));
    }
  }
  append_notes(into, from);
}

void append(Ruleset& into, Ruleset&& from) {
  into.chains.insert(into.chains.end(), std::make_move_iterator(from.chains.begin()),
                     std::make_move_iterator(from.chains.end()));
  append_notes(into, from);
}

}  // namespace

Ruleset merge(Ruleset nft, Ruleset iptables4, Ruleset iptables6, Ruleset legacy4, Ruleset legacy6) {
  put_in_place(nft, std::move(iptables4));
  put_in_place(nft, std::move(iptables6));
  append(nft, std::move(legacy4));
  append(nft, std::move(legacy6));
  return nft;
}

}  // namespace podshark::firewall
