// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/check/parts.h"
#include "podman/kernel/listeners.h"
#include "podman/kernel/net_state.h"
#include "podman/kernel/rtnetlink.h"
#include "podman/kernel/topology.h"

namespace podshark::extcap::check {

UniqueFd open_netlink(WorkerClient& worker, const NetnsPlace& place) {
  SocketCounts counts;
  counts.netlink = 1;
  Result<NetnsSockets> sockets = worker.open(place, counts);
  return sockets && !sockets->netlink.empty() ? std::move(sockets->netlink.front()) : UniqueFd();
}

void read_netns(WorkerClient& worker, const NetnsPlace& place, pid_t pid, diagnose::Netns& out) {
  if (pid != 0) {
    std::optional<std::vector<model::Listener>> listeners = kernel::listeners_of(pid);
    out.listeners_known = listeners.has_value();  // the files are there for as long as the process is
    if (listeners) out.listeners = std::move(*listeners);
  }
  const UniqueFd netlink = open_netlink(worker, place);
  if (!netlink) return;
  Result<std::vector<model::Link>> links = kernel::list_links(netlink.get());
  Result<model::NetState> state = kernel::net_state(netlink.get());
  if (!links || !state) return;
  out.links = std::move(links).value();
  out.state = std::move(state).value();
  out.visible = true;
}

void read_host_side(int netlink, const diagnose::Netns& net, diagnose::ContainerFacts& container) {
  const Result<int> id = kernel::namespace_id(netlink, container.container->pid);
  if (id) container.veths = kernel::peers_in(net.links, *id);
  for (const model::Attachment& a : container.container->networks) {
    for (const std::string& text : a.addresses) {
      if (const std::optional<IpAddress> address = IpAddress::parse(text))
        container.host_routes.push_back(kernel::route_to(netlink, *address));
    }
  }
}

}  // namespace podshark::extcap::check
