// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/api/json_model.h"
#include "podman/api/json_read.h"
#include "podman/api/parse.h"

namespace podshark::api {
namespace {

// containers{id:{name, interfaces:{eth0:{mac_address, subnets[{ipnet, gateway}]}}}}, absent in 4.x.
void read_links(const json& containers, NetworkDetails& out) {
  if (!containers.is_object()) return;
  for (const auto& [id, container] : containers.items()) {
    const json& interfaces = member(container, "interfaces");
    if (!interfaces.is_object()) continue;
    for (const auto& [name, j] : interfaces.items()) {
      if (out.links.size() == kMaxContainers) return;
      NetworkLink link;
      link.container_id = id.substr(0, kMaxName);
      link.interface = name.substr(0, kMaxName);
      link.mac = mac_text(member(j, "mac_address"));
      for (const json& subnet : children(j, "subnets")) {
        std::string address = text(subnet, "ipnet");
        if (!address.empty() && link.addresses.size() < kMaxAddresses)
          link.addresses.push_back(std::move(address));
      }
      out.links.push_back(std::move(link));
    }
  }
}

NetworkDetails network_from(const json& j) {
  NetworkDetails out;
  model::Network& n = out.network;
  n.id = text(j, "id");
  n.name = text(j, "name");
  n.driver = text(j, "driver");
  n.bridge = text(j, "network_interface");
  n.internal = flag(j, "internal");
  n.dns = flag(j, "dns_enabled");
  n.isolate = text(member(j, "options"), "isolate");
  if (n.isolate == "false") n.isolate.clear();
  n.no_default_route = text(member(j, "options"), "no_default_route") == "true";
  n.unmanaged = text(member(j, "options"), "mode") == "unmanaged";
  for (const json& subnet : children(j, "subnets")) {
    std::string range = text(subnet, "subnet");
    if (!range.empty() && n.subnets.size() < kMaxAddresses) n.subnets.push_back(std::move(range));
    std::string gateway = text(subnet, "gateway");
    if (!gateway.empty() && n.gateways.size() < kMaxAddresses) n.gateways.push_back(std::move(gateway));
  }
  read_links(member(j, "containers"), out);
  return out;
}

}  // namespace

Result<Parsed<NetworkDetails>> parse_networks(std::string_view text) {
  return parse_items<NetworkDetails>(text, "podman network inspect", kMaxListBytes, kMaxNetworks,
                                     network_from,
                                     [](const NetworkDetails& n) { return !n.network.name.empty(); });
}

}  // namespace podshark::api
