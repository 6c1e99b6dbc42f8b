// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "podman/core/fd.h"
#include "podman/core/result.h"
#include "podman/model/inventory.h"

namespace podshark::extcap {

/// A pidfd of the container's first process, readable when that ends: opened first, after which its start
/// time proves who it is (a pid alone may be somebody else's by now). ErrorKind::gone otherwise.
[[nodiscard]] Result<UniqueFd> open_first_process(const model::Container& container);

}  // namespace podshark::extcap
