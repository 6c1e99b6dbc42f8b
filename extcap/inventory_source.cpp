// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/inventory_source.h"

#include <algorithm>

#include "extcap/list_cache.h"

namespace podshark::extcap {

const model::Problem* no_podman(const model::Inventory& inventory) {
  if (!inventory.containers.empty()) return nullptr;
  const auto it = std::find_if(inventory.problems.begin(), inventory.problems.end(),
                               [](const model::Problem& p) { return p.source == "podman"; });
  return it == inventory.problems.end() ? nullptr : &*it;
}

Result<model::Inventory> live_inventory() {
  model::Inventory inventory = discover_all();
  if (const model::Problem* problem = no_podman(inventory))
    return Error{ErrorKind::no_podman, problem->what, problem->hint};
  return inventory;
}

}  // namespace podshark::extcap
