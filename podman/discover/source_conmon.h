// SPDX-License-Identifier: GPL-2.0-or-later
// What conmon's world-readable command lines and /proc tell of running containers, without podman.
#pragma once

#include <string>
#include <vector>

#include "podman/model/inventory.h"

namespace podshark::discover {

/// Running containers of the calling user and of root, flagged `limited`. Milliseconds.
[[nodiscard]] std::vector<model::Container> conmon_containers(const std::string& proc);

}  // namespace podshark::discover
