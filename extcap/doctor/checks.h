// SPDX-License-Identifier: GPL-2.0-or-later
// One judgement per topic: pure functions of the Scene, listed in one table.
#pragma once

#include <span>

#include "extcap/doctor/finding.h"
#include "extcap/doctor/scene.h"

namespace podshark::extcap::doctor {

using Check = Findings (*)(const Scene&);

// wireshark_checks.cpp
Findings check_wireshark(const Scene& scene);
Findings check_sandboxed(const Scene& scene);
Findings check_extcap(const Scene& scene);
Findings check_plugin(const Scene& scene);
Findings check_dumpcap(const Scene& scene);
// worker_checks.cpp
Findings check_worker(const Scene& scene);
Findings check_rootful(const Scene& scene);
// drop_checks.cpp
Findings check_drops(const Scene& scene);
// podman_checks.cpp
Findings check_podman(const Scene& scene);
Findings check_sockets(const Scene& scene);
Findings check_storage(const Scene& scene);
// system_checks.cpp
Findings check_user_namespaces(const Scene& scene);
Findings check_subordinate_ids(const Scene& scene);
Findings check_rootless_network(const Scene& scene);
Findings check_kernel(const Scene& scene);
Findings check_limits(const Scene& scene);

/// Every check, in the order people read them.
[[nodiscard]] std::span<const Check> all_checks();
[[nodiscard]] Findings examine(const Scene& scene);

}  // namespace podshark::extcap::doctor
