// SPDX-License-Identifier: GPL-2.0-or-later
// What netavark writes down of its own work (since 1.9, rootful only): the rules that ought to be there.
// Files of /run/containers/networks/firewall, readable by root alone; netavark's src/firewall/state.rs. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "podman/core/result.h"
#include "podman/model/inventory.h"

namespace podshark::api {

/// One file of `ports/`: the ports of a container in one network.
struct NetavarkPorts {
  std::string container_id;
  std::string network;
  std::string address;  ///< the container's IPv4 address, empty without
  std::vector<model::PortMapping> ports;
};
[[nodiscard]] Result<NetavarkPorts> parse_netavark_ports(std::string_view json);

}  // namespace podshark::api
