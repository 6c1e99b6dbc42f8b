// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/host_ports.h"

#include <algorithm>
#include <vector>

#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

using discover::HeldPort;

void add_published(const model::Container& container, std::vector<HeldPort>& ports) {
  for (const model::PortMapping& p : container.ports) {
    if (p.protocol != "tcp" && p.protocol != "udp") continue;
    for (unsigned i = 0; i < p.range && ports.size() <= kMaxHostPorts; ++i) {
      const HeldPort port{static_cast<std::uint16_t>(p.host_port + i), p.protocol == "udp", true};
      const bool known = std::any_of(ports.begin(), ports.end(), [&](const HeldPort& x) {
        return x.port == port.port && x.udp == port.udp;
      });
      if (!known) ports.push_back(port);
    }
  }
}

const char* protocol(const HeldPort& port) {
  return port.udp ? "udp" : "tcp";
}

}  // namespace

Result<HostLimit> limit_to_ports(const model::Container& container, const discover::HeldPorts& held) {
  std::vector<HeldPort> ports = held.ports;
  add_published(container, ports);
  const std::string who = "container " + in_quotes(container.name);
  if (ports.empty() && !held.readable) {
    return Error{ErrorKind::permission,
                 who + " uses the host's network, and which ports are its own is not yours to see",
                 "capture as root, or everything on the host: --all-host"};
  }
  if (ports.empty()) {
    return Error{
        ErrorKind::unsupported,
        who + " uses the host's network and holds no TCP or UDP port now by which to tell its traffic",
        "try again when it does, or capture everything on the host: --all-host"};
  }
  const std::size_t all = ports.size();
  if (all > kMaxHostPorts) ports.resize(kMaxHostPorts);
  HostLimit out;
  out.words = "to";
  for (const HeldPort& p : ports) {
    const std::string number = std::to_string(p.port);
    out.filter += (out.filter.empty() ? "" : " or ") + std::string(protocol(p)) + " port " + number;
    out.words += (&p == ports.data() ? " " : ", ") + std::string(protocol(p)) + " " + number;
  }
  if (all > ports.size())
    out.words += " (" + std::to_string(ports.size()) + " of " + std::to_string(all) + ")";
  return out;
}

}  // namespace podshark::extcap
