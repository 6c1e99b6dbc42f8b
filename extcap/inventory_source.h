// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "podman/core/result.h"
#include "podman/model/inventory.h"

namespace podshark::extcap {

/// Why nothing is known, when podman is the reason; else nullptr.
[[nodiscard]] const model::Problem* no_podman(const model::Inventory& inventory);

/// What there is now, stopped containers included. ErrorKind::no_podman when nothing could be found out.
[[nodiscard]] Result<model::Inventory> live_inventory();

}  // namespace podshark::extcap
