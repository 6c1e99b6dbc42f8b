// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/api/netavark.h"

#include "podman/api/json_read.h"

namespace podshark::api {

Result<NetavarkPorts> parse_netavark_ports(std::string_view json_text) {
  constexpr std::uint64_t kMaxPort = 65535;
  Result<json> parsed = parse_list(json_text, "netavark's record of ports", kMaxListBytes);
  if (!parsed) return parsed.error();
  if (parsed->empty()) return Error{ErrorKind::no_podman, "netavark's record of ports is empty", {}};
  const json& j = parsed->front();
  NetavarkPorts out;
  out.container_id = text(j, "container_id");
  out.network = text(j, "network_name");
  out.address = text(j, "container_ip_v4");
  for (const json& p : children(j, "port_mappings")) {
    if (out.ports.size() == kMaxPorts) break;
    model::PortMapping port;
    port.host_ip = text(p, "host_ip");
    port.host_port = static_cast<std::uint16_t>(number(member(p, "host_port"), kMaxPort));
    port.container_port = static_cast<std::uint16_t>(number(member(p, "container_port"), kMaxPort));
    port.range = static_cast<std::uint16_t>(number(member(p, "range"), kMaxPort));
    port.protocol = text(p, "protocol");
    if (port.range == 0) port.range = 1;
    out.ports.push_back(std::move(port));
  }
  return out;
}

}  // namespace podshark::api
