// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/discover/network_kind.h"

#include <algorithm>

namespace podshark::discover {
namespace {

using model::Attachment;
using model::NetworkKind;

std::string driver_of(const Attachment& a, const std::vector<api::NetworkDetails>& networks) {
  const auto it = std::find_if(networks.begin(), networks.end(),
                               [&](const auto& n) { return n.network.name == a.network; });
  return it == networks.end() ? std::string() : it->network.driver;
}

// podman says "bridge" for every netavark driver. One bridge makes it a bridge container.
NetworkKind kind_of_networks(const model::Container& c, const std::vector<api::NetworkDetails>& networks) {
  NetworkKind kind = NetworkKind::unknown;
  for (const Attachment& a : c.networks) {
    const std::string driver = driver_of(a, networks);
    // A network that could not be inspected is most likely of podman's default driver.
    const NetworkKind one = driver.empty() ? NetworkKind::bridge : model::network_kind(driver);
    if (one == NetworkKind::bridge) return one;
    if (kind == NetworkKind::unknown) kind = one;
  }
  return kind;
}

bool has_address(const std::vector<std::string>& addresses, const std::string& wanted) {
  return !wanted.empty() && std::any_of(addresses.begin(), addresses.end(), [&](const std::string& a) {
    return a.substr(0, a.find('/')) == wanted;
  });
}

bool routed_by(const Attachment& a, const model::Link& host) {
  return host.kind == "bridge" && has_address(host.addresses, a.gateway);
}

bool is_slirp4netns(const Attachment& a) {
  return a.interface == "tap0" && has_address(a.addresses, "10.0.2.100") && a.gateway == "10.0.2.2";
}

// pasta gives its link the name and the address of the one it stands for.
bool is_copy(const Attachment& a, const model::Link& host) {
  return a.interface == host.name &&
         std::any_of(a.addresses.begin(), a.addresses.end(), [&](const auto& own) {
           return has_address(host.addresses, own.substr(0, own.find('/')));
         });
}

}  // namespace

void set_network_kind(model::Container& c, const std::vector<api::NetworkDetails>& networks) {
  const std::string word = c.mode.substr(0, c.mode.find(':'));
  const std::string rest = c.mode.size() > word.size() ? c.mode.substr(word.size() + 1) : std::string();
  if (word == "container") {
    c.kind = NetworkKind::shared;
    c.shares_with = rest;
  } else if (word == "bridge" || word == "private" || word == "default" || word.empty()) {
    c.kind = kind_of_networks(c, networks);
  } else {
    c.kind = model::network_kind(word);  // host, none, slirp4netns, pasta, ns; a bare network name: below
    if (c.kind == NetworkKind::unknown) c.kind = kind_of_networks(c, networks);
  }
  switch (c.kind) {
    case NetworkKind::host:
    case NetworkKind::none:
    case NetworkKind::shared:
    case NetworkKind::slirp4netns:
    case NetworkKind::pasta:
    case NetworkKind::ns_path:
      c.networks.clear();
      break;
    default:
      break;
  }
}

void set_link_names(model::Container& c, const std::vector<api::NetworkDetails>& networks) {
  for (Attachment& a : c.networks) {
    const api::NetworkLink* by_network = nullptr;
    const api::NetworkLink* by_mac = nullptr;
    for (const api::NetworkDetails& n : networks) {
      if (n.network.name != a.network) continue;
      for (const api::NetworkLink& link : n.links) {
        if (link.container_id != c.id) continue;
        by_network = &link;
        if (!a.mac.empty() && link.mac == a.mac) by_mac = &link;
      }
    }
    const api::NetworkLink* link = by_mac != nullptr ? by_mac : by_network;
    if (link == nullptr) continue;
    a.interface = link->interface;
    if (a.mac.empty()) a.mac = link->mac;
    if (a.addresses.empty()) a.addresses = link->addresses;
  }
}

void set_kind_from_links(model::Container& c, const std::vector<model::Link>& host) {
  if (c.kind != NetworkKind::unknown) return;
  const auto any_link = [&](const auto& fits) {
    return std::any_of(c.networks.begin(), c.networks.end(), [&](const Attachment& a) {
      return std::any_of(host.begin(), host.end(), [&](const model::Link& l) { return fits(a, l); });
    });
  };
  if (any_link(routed_by)) {
    c.kind = NetworkKind::bridge;
  } else if (c.rootless && std::any_of(c.networks.begin(), c.networks.end(), is_slirp4netns)) {
    c.kind = NetworkKind::slirp4netns;
  } else if (c.rootless && any_link(is_copy)) {
    c.kind = NetworkKind::pasta;
  }
}

}  // namespace podshark::discover
