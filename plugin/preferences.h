// SPDX-License-Identifier: GPL-2.0-or-later
// Preferences → Protocols → Podman.
#pragma once

#include <string>

#include "podman/core/result.h"

namespace podshark::plugin {

/// Once, when the protocol is registered.
void register_preferences(int protocol);

/// The program podshark: as preferred, else where it was installed, in PATH, or among the personal extcaps.
[[nodiscard]] Result<std::string> podshark_program();

/// Which inventory names the packets of a file that has none.
struct OutsideInventory {
  std::string file;   ///< empty: one beside the capture
  bool live = false;  ///< ask podman when there is no file
};
[[nodiscard]] OutsideInventory outside_inventory_preference();

}  // namespace podshark::plugin
