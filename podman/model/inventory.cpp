// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/model/inventory.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <utility>

namespace podshark::model {
namespace {

constexpr std::array<std::pair<NetworkKind, const char*>, 10> kKinds{{
    {NetworkKind::unknown, "unknown"},
    {NetworkKind::none, "none"},
    {NetworkKind::host, "host"},
    {NetworkKind::bridge, "bridge"},
    {NetworkKind::macvlan, "macvlan"},
    {NetworkKind::ipvlan, "ipvlan"},
    {NetworkKind::slirp4netns, "slirp4netns"},
    {NetworkKind::pasta, "pasta"},
    {NetworkKind::shared, "shared"},
    {NetworkKind::ns_path, "ns"},
}};

std::string port_range(std::uint16_t first, std::uint16_t count) {
  const std::string text = std::to_string(first);
  return count > 1 ? text + "-" + std::to_string(first + count - 1) : text;
}

}  // namespace

const Container* Inventory::by_id(const std::string& id) const {
  const auto it =
      std::find_if(containers.begin(), containers.end(), [&](const auto& c) { return c.id == id; });
  return it == containers.end() ? nullptr : &*it;
}

const Pod* Inventory::pod_by_id(const std::string& id) const {
  const auto it = std::find_if(pods.begin(), pods.end(), [&](const auto& p) { return p.id == id; });
  return it == pods.end() ? nullptr : &*it;
}

bool Inventory::same_state(const Inventory& other) const {
  return containers == other.containers && pods == other.pods && networks == other.networks;
}

std::uint8_t protocol_number(const std::string& name) {
  if (name == "tcp") return IPPROTO_TCP;
  if (name == "udp") return IPPROTO_UDP;
  return name == "sctp" ? IPPROTO_SCTP : 0;
}

const char* to_string(NetworkKind kind) {
  for (const auto& [value, text] : kKinds) {
    if (value == kind) return text;
  }
  return "unknown";
}

NetworkKind network_kind(const std::string& text) {
  for (const auto& [value, name] : kKinds) {
    if (text == name) return value;
  }
  return NetworkKind::unknown;
}

std::string to_string(const PortMapping& port) {
  std::string host = port.host_ip;
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  if (!host.empty()) host += ":";
  return host + port_range(port.host_port, port.range) + "\u2192" +
         port_range(port.container_port, port.range) + "/" + port.protocol;
}

}  // namespace podshark::model
