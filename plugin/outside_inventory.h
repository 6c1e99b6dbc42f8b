// SPDX-License-Identifier: GPL-2.0-or-later
// An inventory for a capture that has none of its own. No epan.
#pragma once

#include <cstdint>
#include <optional>

#include "plugin/preferences.h"
#include "podman/model/inventory.h"

namespace podshark::plugin {

/// What tells files apart, as far as a plugin sees them: their first packet.
struct FirstPacket {
  std::int64_t time_ns = 0;
  std::int64_t offset = 0;
  std::uint32_t length = 0;
  bool operator==(const FirstPacket&) const = default;
};

/// The inventory chosen, else of one beside a file that this process has open, else what
/// `podshark inventory` tells. nullopt: there is none. What was asked for and failed is an error.
/// What podshark has told, or that it failed, stays so for the file: Wireshark dissects a file anew with each
/// change of a preference, and would wait each time. A failure is an error once. It is asked again for
/// another file, or once it has been unwanted.
[[nodiscard]] Result<std::optional<model::Inventory>> outside_inventory(const OutsideInventory& wanted,
                                                                        const FirstPacket& file);

}  // namespace podshark::plugin
