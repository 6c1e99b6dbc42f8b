// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "extcap/probe/runner.h"
#include "podman/core/result.h"
#include "podman/model/inventory.h"

namespace podshark::extcap::probing {

inline constexpr std::size_t kMaxMembers = 64;    // of a mesh
inline constexpr std::size_t kMaxMeshPorts = 32;  // per member
inline constexpr std::size_t kMaxMeshProbes = 2048;

/// "pod/NAME" or "net/NAME": from every namespace of it to every TCP port that the others listen on. Members
/// of a pod share a namespace as a rule: then from it to each member's ports on loopback. ErrorKind::usage,
/// not_found, not_running, unsupported (beyond a limit).
[[nodiscard]] Result<std::vector<Job>> mesh_jobs(const std::string& mesh, const model::Inventory& inventory);

/// --all-ports: every published port through the host (from the host only), and every TCP port that listens.
[[nodiscard]] Result<std::vector<Job>> all_port_jobs(const std::string& target, const Source& source,
                                                     const model::Inventory& inventory, uid_t caller);

}  // namespace podshark::extcap::probing
