// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/inventory_source.h"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "extcap/list_cache.h"

namespace podshark::extcap {

const model::Problem* no_podman(const model::Inventory& inventory) {
  if (!inventory.containers.empty()) return nullptr;
  const auto it = std::find_if(inventory.problems.begin(), inventory.problems.end(),
                               [](const model::Problem& p) { return p.source == "podman"; });
  return it == inventory.problems.end() ? nullptr : &*it;
}

bool lacks_details(const model::Inventory& inventory) {
  return !inventory.problems.empty() &&
         std::any_of(inventory.containers.begin(), inventory.containers.end(),
                     [](const model::Container& c) { return c.limited && c.owner == ::geteuid(); });
}

model::Inventory with_details(model::Inventory seen, const model::Inventory& known) {
  for (model::Container& c : seen.containers) {
    const model::Container* old = known.by_id(c.id);
    if (old != nullptr && old->same_process(c)) c = *old;
  }
  seen.pods = known.pods;
  seen.networks = known.networks;
  return seen;
}

bool same_processes(const model::Inventory& a, const model::Inventory& b) {
  const auto processes = [](const model::Inventory& inventory) {
    std::set<std::pair<pid_t, std::uint64_t>> out;
    for (const model::Container& c : inventory.containers) {
      if (c.alive()) out.emplace(c.pid, c.pid_start);
    }
    return out;
  };
  return processes(a) == processes(b);
}

Result<model::Inventory> live_inventory() {
  model::Inventory inventory = discover_all();
  if (const model::Problem* problem = no_podman(inventory))
    return Error{ErrorKind::no_podman, problem->what, problem->hint};
  return inventory;
}

}  // namespace podshark::extcap
