// SPDX-License-Identifier: GPL-2.0-or-later
// The bridge of a rootful network lies in the host's namespace, that of a rootless one in a namespace which
// podman keeps per user (podman/discover/rootless_netns.h). pasta and slirp4netns pass packets through
// sockets: nothing of such a container is on any link outside of it.
#include "extcap/capture/host_side.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "podman/core/text.h"
#include "podman/discover/rootless_netns.h"
#include "podman/kernel/topology.h"

namespace podshark::extcap {

std::string carrier_filter() {
  const char* given = std::getenv("PODSHARK_CARRIER");
  return without_carrier(given == nullptr ? "" : given);
}

namespace {

using model::Container;
using model::NetworkKind;

Status has_outer_links(const Container& c) {
  const std::string who = "container " + in_quotes(c.name);
  switch (c.kind) {
    case NetworkKind::pasta:
    case NetworkKind::slirp4netns:
      return Error{ErrorKind::unsupported,
                   who + " is connected by " + model::to_string(c.kind) +
                       ", which passes its traffic through sockets: no link of it exists on the host",
                   "capture inside the container"};
    case NetworkKind::none:
      return Error{ErrorKind::unsupported, who + " has no network: nothing of it is on the host",
                   "capture inside the container"};
    default:
      return ok();
  }
}

ChosenLink outside(const model::Link& link, bool rootless, std::string filter = {}) {
  if (!rootless) filter = both_filters(carrier_filter(), filter);
  return {link, one_line(link.name, 24) + (rootless ? "@rootless-netns" : "@host"), std::move(filter)};
}

const model::Link* by_index(const std::vector<model::Link>& links, int ifindex) {
  const auto it =
      std::find_if(links.begin(), links.end(), [&](const model::Link& l) { return l.ifindex == ifindex; });
  return it == links.end() ? nullptr : &*it;
}

// Nothing found is an error at first; later, the links may come back with the container.
Result<std::vector<ChosenLink>> found(std::vector<ChosenLink> links, bool& first, const Error& none) {
  if (std::exchange(first, false) && links.empty()) return none;
  return links;
}

// macvlan and ipvlan leave through the parent link, under MAC addresses of their own or the parent's.
std::vector<std::string> parent_names(const Container& c, const model::Inventory& inventory) {
  std::vector<std::string> out;
  for (const auto& attachment : c.networks) {
    for (const model::Network& n : inventory.networks) {
      if (n.name == attachment.network && n.driver != "bridge" && !n.bridge.empty()) out.push_back(n.bridge);
    }
  }
  return out;
}

std::vector<ChosenLink> parents(const std::vector<model::Link>& links, const Container& c,
                                const std::vector<std::string>& names) {
  std::vector<ChosenLink> out;
  const std::string filter = address_filter(c);
  for (const model::Link& l : links) {
    if (!filter.empty() && std::find(names.begin(), names.end(), l.name) != names.end())
      out.push_back(outside(l, c.rootless, filter));
  }
  return out;
}

LinkChooser choose_veth_peers(const Container& c, std::vector<std::string> over) {
  return [c, over = std::move(over), first = true](
             int netlink, const std::vector<model::Link>& links) mutable -> Result<std::vector<ChosenLink>> {
    std::vector<ChosenLink> out = parents(links, c, over);
    const Result<int> id = kernel::namespace_id(netlink, c.pid);
    if (id) {
      for (const model::Link& l : kernel::peers_in(links, *id)) out.push_back(outside(l, c.rootless));
    }
    return found(std::move(out), first,
                 {ErrorKind::not_found, "no link on the host's side leads to container " + in_quotes(c.name),
                  "capture inside the container"});
  };
}

LinkChooser choose_named_links(const Container& c, const std::vector<std::string>& names) {
  LinkChooser by_name = choose_by_name(names, c.name, /* strict= */ true);
  return [by_name = std::move(by_name), rootless = c.rootless](
             int netlink, std::vector<model::Link> links) -> Result<std::vector<ChosenLink>> {
    Result<std::vector<ChosenLink>> chosen = by_name(netlink, std::move(links));
    if (!chosen) return chosen;
    for (ChosenLink& l : *chosen) l = outside(l.link, rootless);
    return chosen;
  };
}

// The bridge is the master of the container's veth peer.
std::vector<ChosenLink> bridges_of(int netlink, const std::vector<model::Link>& links, const Container& c) {
  std::vector<ChosenLink> out;
  const std::string filter = address_filter(c);
  if (filter.empty()) return out;  // not the other containers' traffic
  const Result<int> id = kernel::namespace_id(netlink, c.pid);
  for (const model::Link& peer : id ? kernel::peers_in(links, *id) : std::vector<model::Link>{}) {
    const model::Link* bridge = by_index(links, peer.master);
    const bool known = bridge == nullptr || std::any_of(out.begin(), out.end(), [&](const ChosenLink& o) {
                         return o.link.ifindex == bridge->ifindex;
                       });
    if (!known) out.push_back(outside(*bridge, c.rootless, filter));
  }
  return out;
}

std::vector<ChosenLink> uplinks_of(int netlink, const std::vector<model::Link>& links, bool rootless,
                                   const std::string& filter) {
  std::vector<ChosenLink> out;
  const Result<std::vector<int>> found = kernel::uplinks(netlink);
  for (const int ifindex : found ? *found : std::vector<int>{}) {
    if (const model::Link* l = by_index(links, ifindex)) out.push_back(outside(*l, rootless, filter));
  }
  return out;
}

LinkChooser choose_entry(const Container& c, std::vector<std::string> over) {
  return [c, over = std::move(over), first = true](
             int netlink, const std::vector<model::Link>& links) mutable -> Result<std::vector<ChosenLink>> {
    std::vector<ChosenLink> out = parents(links, c, over);
    const std::string ports = published_port_filter(c);
    if (out.empty() && (c.rootless || !ports.empty()))
      out = uplinks_of(netlink, links, c.rootless, c.rootless ? std::string() : ports);
    if (out.empty()) out = bridges_of(netlink, links, c);
    return found(std::move(out), first,
                 {ErrorKind::not_found, "no link on the host's side leads to container " + in_quotes(c.name),
                  "use --point inside"});
  };
}

CapturePlan outer_plan(const Target& target, NetnsPlace place, LinkChooser choose) {
  CapturePlan plan;
  plan.target = target;
  plan.target.point = Point::host;
  plan.place = std::move(place);
  plan.choose = std::move(choose);
  plan.watch_process = !target.container.id.empty();
  return plan;
}

std::string port_term(const model::PortMapping& port) {
  const std::string first = std::to_string(port.host_port);
  if (port.range <= 1) return port.protocol + " port " + first;
  return port.protocol + " portrange " + first + "-" + std::to_string(port.host_port + port.range - 1);
}

void add_term(std::string& filter, const std::string& term) {
  filter += (filter.empty() ? "" : " or ") + term;
}

}  // namespace

Result<NetnsPlace> outer_place(bool rootless) {
  if (!rootless) return NetnsPlace::host();
  Result<UniqueFd> fd = discover::open_rootless_netns(discover::calling_user());
  if (!fd) return fd.error();
  NetnsPlace place;
  place.kind = NetnsPlace::Kind::descriptor;
  place.fd = std::make_shared<UniqueFd>(std::move(*fd));
  return place;
}

std::string published_port_filter(const Container& c) {
  std::string out;
  for (const model::PortMapping& port : c.ports) {
    const bool known = port.protocol == "tcp" || port.protocol == "udp" || port.protocol == "sctp";
    if (known && port.host_port != 0) add_term(out, port_term(port));
  }
  return out;
}

std::string address_filter(const Container& c) {
  std::string out;
  for (const auto& network : c.networks) {
    for (const std::string& address : network.addresses)
      add_term(out, "host " + one_line(address.substr(0, address.find('/')), 45));
  }
  return out;
}

Result<CapturePlan> plan_network(const Target& target, const model::Inventory& inventory) {
  const auto it = std::find_if(inventory.networks.begin(), inventory.networks.end(),
                               [&](const auto& n) { return n.name == target.network; });
  if (it == inventory.networks.end())
    return Error{ErrorKind::not_found, "there is no network " + in_quotes(target.network),
                 "see 'podman network ls'"};
  const bool rootless = ::geteuid() != 0;  // networks in the inventory are the caller's own
  Result<NetnsPlace> place = outer_place(rootless);
  if (!place) return place.wrap("capture network " + in_quotes(target.network));
  LinkChooser choose = [bridge = it->bridge, name = it->name, rootless, first = true](
                           int,
                           const std::vector<model::Link>& links) mutable -> Result<std::vector<ChosenLink>> {
    std::vector<ChosenLink> out;
    for (const model::Link& l : links) {
      if (l.name == bridge) out.push_back(outside(l, rootless));
    }
    return found(
        std::move(out), first,
        {ErrorKind::not_running, "network " + in_quotes(name) + " has no bridge now: no container uses it",
         "start one of its containers, or wait for one with --wait"});
  };
  return outer_plan(target, std::move(*place), std::move(choose));
}

Result<CapturePlan> plan_host_side(const Target& target, const model::Inventory& inventory,
                                   const std::vector<std::string>& names) {
  const Container& c = target.container;
  if (const Status s = has_outer_links(c); !s) return s.error();
  Result<NetnsPlace> place = outer_place(c.rootless);
  if (!place) return place.wrap("capture " + what(target) + " from outside");
  return outer_plan(
      target, std::move(*place),
      names.empty() ? choose_veth_peers(c, parent_names(c, inventory)) : choose_named_links(c, names));
}

Result<CapturePlan> plan_entry(const Target& target, const model::Inventory& inventory) {
  const Container& c = target.container;
  if (const Status s = has_outer_links(c); !s) return s.error();
  Result<NetnsPlace> place = outer_place(c.rootless);
  if (!place) return place.wrap("capture " + what(target) + " from outside");
  return outer_plan(target, std::move(*place), choose_entry(c, parent_names(c, inventory)));
}

CapturePlan plan_host_network(const Target& target, const std::string& filter,
                              const std::vector<std::string>& names) {
  LinkChooser choose = [by_name = choose_by_name(names, target.container.name, /* strict= */ true), filter,
                        all = names.empty()](
                           int netlink, std::vector<model::Link> links) -> Result<std::vector<ChosenLink>> {
    if (all) std::erase_if(links, [](const model::Link& l) { return l.master != 0; });
    Result<std::vector<ChosenLink>> chosen = by_name(netlink, std::move(links));
    if (!chosen) return chosen;
    for (ChosenLink& l : *chosen) l = outside(l.link, /* rootless= */ false, filter);
    return chosen;
  };
  return outer_plan(target, NetnsPlace::host(), std::move(choose));
}

}  // namespace podshark::extcap
