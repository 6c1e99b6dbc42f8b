// SPDX-License-Identifier: GPL-2.0-or-later
// Where jumps lead. Private to podman/firewall.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "podman/firewall/ruleset.h"

namespace podshark::firewall {

/// Chains by name; the ruleset must outlive it.
class ChainIndex {
 public:
  explicit ChainIndex(const Ruleset& rules);
  /// The chain that a jump from `from` to `name` leads to, or null.
  [[nodiscard]] const Chain* find(const Chain& from, const std::string& name) const;

 private:
  std::unordered_map<std::string, const Chain*> chains_;
};

/// The base chains that a packet of `family` meets at `hook`, in the kernel's order.
[[nodiscard]] std::vector<const Chain*> base_chains(const Ruleset& rules, Hook hook, Family family);

/// What tells chains apart: family, table, name, and whether it is a legacy one.
[[nodiscard]] std::string chain_key(const Chain& chain, const std::string& name);

}  // namespace podshark::firewall
