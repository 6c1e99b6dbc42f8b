// SPDX-License-Identifier: GPL-2.0-or-later
// How many packets the rules of a namespace have thrown away, as far as these count. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "podman/firewall/ruleset.h"

namespace podshark::firewall {

/// A rule that drops or rejects, or a chain's policy to drop, that has a counter.
struct DropCounter {
  std::string rule;  ///< "table inet t chain f: tcp dport 80 counter … drop"; one clean line
  std::uint64_t packets = 0;
};
/// By what tells a rule from the others, though its text holds the counter itself.
using DropCounters = std::map<std::string, DropCounter>;
[[nodiscard]] DropCounters drop_counters(const Ruleset& rules);

/// Those that have counted since, `packets` being how many; of rules that were not there before, or were
/// reset, nothing.
[[nodiscard]] std::vector<DropCounter> gained(const DropCounters& before, const DropCounters& after);

}  // namespace podshark::firewall
