// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "extcap/naming.h"
#include "podman/core/result.h"
#include "podman/model/inventory.h"

namespace podshark::extcap {

/// What a capture starts with.
struct Selection {
  model::Inventory inventory;
  std::vector<Target> targets;
  bool remembered = false;  ///< from the interface cache: read podman again as soon as the capture runs
};

/// Resolves names (see resolve()). Asking podman takes a quarter of a second in which packets pass unseen, so
/// a target that the interface cache knows is taken from there when its process is provably still the same
/// one. "all" is always asked anew: the cache cannot know who has come since.
[[nodiscard]] Result<Selection> select(const std::vector<std::string>& names);

}  // namespace podshark::extcap
