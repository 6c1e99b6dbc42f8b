// SPDX-License-Identifier: GPL-2.0-or-later
// An inventory for a capture that has none of its own. No epan.
#pragma once

#include <optional>

#include "plugin/preferences.h"
#include "podman/model/inventory.h"

namespace podshark::plugin {

/// The inventory chosen, else of one beside a file that this process has open, else what
/// `podshark inventory` tells. nullopt: there is none. What was asked for and failed is an error.
[[nodiscard]] Result<std::optional<model::Inventory>> outside_inventory(const OutsideInventory& wanted);

}  // namespace podshark::plugin
