// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/inventory_source.h"

#include <algorithm>
#include <utility>

#include "extcap/annotate/input.h"
#include "extcap/list_cache.h"
#include "podman/annotate/codec.h"
#include "podman/core/text.h"

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

Result<model::Inventory> saved_inventory(const std::string& path) {
  const std::string name = "'" + one_line(path, 200) + "'";
  const Result<std::string> text = read_whole(path, annotate::kMaxInventoryJson);
  if (!text) return text.error();
  Result<annotate::InventoryPart> read = annotate::decode_inventory(*text);
  if (read && read->parts > 1)
    return Error{ErrorKind::usage, name + " is only a part of an inventory",
                 "save one with 'podshark inventory -o FILE'"};
  if (!read)
    return Error{ErrorKind::usage, name + ": " + read.error().what,
                 "save one with 'podshark inventory -o FILE'"};
  return std::move(read->inventory);
}

}  // namespace podshark::extcap
