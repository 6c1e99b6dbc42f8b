// SPDX-License-Identifier: GPL-2.0-or-later
// Pods as `podshark list` shows them and as a capture writes them. Pure.
#pragma once

#include <iosfwd>
#include <vector>

#include "extcap/kube/pod_name.h"
#include "extcap/naming.h"
#include "podman/core/result.h"
#include "podman/model/inventory.h"
#include "podman/model/kube.h"

namespace podshark::extcap::kube {

/// Pods and their containers. A pod's addresses are those of a container of its own (`infra`) that has the
/// pod's name, as podman's pods have one. With `all` also what does not run.
[[nodiscard]] model::Inventory inventory_of(const std::vector<model::KubePod>& pods, const Cluster& cluster,
                                            bool all);

/// The pod as a target, named "kube:NAMESPACE/POD"; `container`: the one whose name its interfaces carry.
[[nodiscard]] Target target_of(const model::KubePod& pod, const model::KubeContainer& container);

/// In the network of its node, what is captured would hold the capture's own way here, many times over: the
/// filter (libpcap syntax) that leaves it the ports that its containers declare, beside the user's. With
/// `all_host`, or without such ports, the user's own, of which there has to be one. Of other pods just the
/// user's.
[[nodiscard]] Result<std::string> node_filter(const model::KubePod& pod, const std::string& filter,
                                              bool all_host);

/// The table of `podshark list --kube`, safe for a terminal. With `all` also pods that do not run.
void write_pods(std::ostream& out, const std::vector<model::KubePod>& pods, const Cluster& cluster, bool all);

}  // namespace podshark::extcap::kube
