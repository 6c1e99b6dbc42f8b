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
  std::vector<std::string> names;  ///< as chosen; resolved anew whenever something starts
  model::Inventory inventory;
  std::vector<Target> targets;
  std::vector<model::Container> to_start;  ///< chosen, but stopped: start them once the capture is ready
  bool remembered = false;  ///< from the interface cache: read podman again as soon as the capture runs
};

struct SelectOptions {
  bool wait = false;   ///< what does not exist or run yet may come later
  bool start = false;  ///< start stopped containers that are named; without, they are ErrorKind::not_running
};

/// Resolves names (see resolve()). Asking podman takes a quarter of a second in which packets pass unseen, so
/// a target that the interface cache knows is taken from there when its process is provably still the same
/// one. "all" and patterns are always asked anew: the cache cannot know who has come since.
[[nodiscard]] Result<Selection> select(const std::vector<std::string>& names, const SelectOptions& options);

/// What runs now by a scan of /proc (milliseconds), with the details that `known` has of it. Containers that
/// podman has not told of yet are `limited`.
[[nodiscard]] model::Inventory running_now(const model::Inventory& known);

}  // namespace podshark::extcap
