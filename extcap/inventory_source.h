// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "podman/core/result.h"
#include "podman/model/inventory.h"

namespace podshark::extcap {

/// Why nothing is known, when podman is the reason; else nullptr.
[[nodiscard]] const model::Problem* no_podman(const model::Inventory& inventory);

/// podman has not told what the caller's own containers are: of some only the process is known.
[[nodiscard]] bool lacks_details(const model::Inventory& inventory);
/// The same containers with what is `known` of those whose process is the same, and its pods and networks.
[[nodiscard]] model::Inventory with_details(model::Inventory seen, const model::Inventory& known);
/// Both describe the same running processes.
[[nodiscard]] bool same_processes(const model::Inventory& a, const model::Inventory& b);

/// What there is now, stopped containers included. ErrorKind::no_podman when nothing could be found out.
[[nodiscard]] Result<model::Inventory> live_inventory();

}  // namespace podshark::extcap
