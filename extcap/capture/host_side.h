// SPDX-License-Identifier: GPL-2.0-or-later
// Where a container's packets pass outside of it: its veth peer, the bridge, the uplink.
#pragma once

#include <string>
#include <vector>

#include "extcap/capture/netns_capture.h"
#include "podman/model/inventory.h"

namespace podshark::extcap {

/// The namespace in which bridges lie: the host's, or that of the caller's rootless networks.
[[nodiscard]] Result<NetnsPlace> outer_place(bool rootless);

/// The bridge of `target.network`, in the host's namespace or that of the rootless networks.
[[nodiscard]] Result<CapturePlan> plan_network(const Target& target, const model::Inventory& inventory);

/// The host's end of the container's links (`names` empty), or these links there whole.
[[nodiscard]] Result<CapturePlan> plan_host_side(const Target& target, const model::Inventory& inventory,
                                                 const std::vector<std::string>& names);

/// The one link through which the container's traffic enters or leaves, for a capture at both ends: the
/// uplink, limited to the published ports, else the bridge, limited to the container's addresses; the uplink
/// of the rootless networks whole.
[[nodiscard]] Result<CapturePlan> plan_entry(const Target& target, const model::Inventory& inventory);

/// libpcap syntax: without the ssh connection that carries a capture for another machine; empty where there
/// is none (PODSHARK_CARRIER, which the other side sets: without_carrier()).
[[nodiscard]] std::string carrier_filter();

/// The links of the host (`names` empty) or these, for a container without a network of its own, limited by
/// `filter`. Ports of a bridge are left out: what passes them passes the bridge too.
[[nodiscard]] CapturePlan plan_host_network(const Target& target, const std::string& filter,
                                            const std::vector<std::string>& names);

/// "tcp port 8080 or udp portrange 9000-9009": the published ports as the host's uplink sees them; empty
/// without any. Pure.
[[nodiscard]] std::string published_port_filter(const model::Container& container);

/// "host 10.88.0.2 or host fd00::2"; empty when no address is known. Pure.
[[nodiscard]] std::string address_filter(const model::Container& container);

}  // namespace podshark::extcap
