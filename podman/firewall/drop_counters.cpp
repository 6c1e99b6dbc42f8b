// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/drop_counters.h"

#include <algorithm>

#include "podman/core/text.h"

namespace podshark::firewall {
namespace {

constexpr std::size_t kMostText = 300;

bool drops(const Rule& rule) {
  return std::any_of(rule.statements.begin(), rule.statements.end(), [](const Statement& s) {
    return s.action == Action::drop || s.action == Action::reject;
  });
}

// Handles stay when other rules come and go; where there is none, the text has no counter in it.
std::string identity(const Chain& chain, const Rule& rule) {
  const std::string where = std::string(to_string(chain.maker)) + " " + place(chain);
  if (rule.handle != 0) return where + " handle " + std::to_string(rule.handle);
  return where + " " + std::to_string(rule.number) + " " + rule.text;
}

}  // namespace

DropCounters drop_counters(const Ruleset& rules) {
  DropCounters out;
  for (const Chain& chain : rules.chains) {
    for (const Rule& rule : chain.rules) {
      if (rule.counters && drops(rule))
        out[identity(chain, rule)] = {one_line(place(chain) + ": " + rule.text, kMostText),
                                      rule.counters->packets};
    }
    if (chain.policy == Policy::drop && chain.policy_counters)
      out[std::string(to_string(chain.maker)) + " " + place(chain) + " policy"] = {
          one_line(place(chain) + ": policy drop", kMostText), chain.policy_counters->packets};
  }
  return out;
}

std::vector<DropCounter> gained(const DropCounters& before, const DropCounters& after) {
  std::vector<DropCounter> out;
  for (const auto& [identity, counter] : after) {
    const auto was = before.find(identity);
    if (was != before.end() && counter.packets > was->second.packets)
      out.push_back({counter.rule, counter.packets - was->second.packets});
  }
  return out;
}

}  // namespace podshark::firewall
