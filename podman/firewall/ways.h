// SPDX-License-Identifier: GPL-2.0-or-later
// Every way through jumps, with the conditions that were met on it. Private to podman/firewall.
#pragma once

#include <functional>

#include "podman/firewall/chain_index.h"
#include "podman/firewall/conditions.h"
#include "podman/firewall/evaluate.h"

namespace podshark::firewall {

/// One statement that is no jump, the conditions that lead to it, and the last comment on the way.
struct Found {
  const Place& place;
  const Statement& statement;
  const Conditions& conditions;
  const std::string& comment;
};

/// Calls `visit` for each statement that `base` leads to, in order; ways that exclude themselves are not
/// taken. At most kMaxJumps deep and kMaxQueryWork rules in total over all calls with the same `work`.
void each_way(const ChainIndex& index, const Chain& base, std::size_t& work,
              const std::function<void(const Found&)>& visit);

}  // namespace podshark::firewall
