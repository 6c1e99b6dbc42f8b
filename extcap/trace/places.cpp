// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/trace/places.h"

#include <netinet/in.h>

#include <algorithm>
#include <utility>

#include "extcap/probe/reach.h"
#include "podman/core/text.h"
#include "podman/discover/rootless_netns.h"

namespace podshark::extcap::tracing {
namespace {

using model::Container;
using model::NetworkKind;
using probing::Aim;
using probing::Source;
using trace::Selector;

std::uint8_t protocol_number(probe::Protocol p) {
  if (p == probe::Protocol::udp) return IPPROTO_UDP;
  return p == probe::Protocol::icmp ? IPPROTO_ICMP : IPPROTO_TCP;
}

void add(std::vector<Selector>& list, const Selector& s) {
  if (std::find(list.begin(), list.end(), s) == list.end()) list.push_back(s);
}

// Before and after the translation of its destination.
std::vector<Selector> on_the_way(const Aim& aim) {
  const std::uint8_t protocol = protocol_number(aim.protocol);
  std::vector<Selector> out{{aim.to.address, protocol, aim.to.port}};
  for (const model::Attachment& a : aim.container.networks) {
    for (const std::string& text : a.addresses) {
      const auto address = IpAddress::parse(text);
      if (address && address->is_v4() == aim.to.address.is_v4())
        add(out, {address, protocol, aim.container_port});
    }
  }
  return out;
}

// The probe's own addresses, of the target's family.
std::vector<IpAddress> source_addresses(const Source& source, const Aim& aim) {
  std::vector<IpAddress> out;
  for (const model::Attachment& a : source.container.networks) {
    for (const std::string& text : a.addresses) {
      const auto address = IpAddress::parse(text);
      if (address && address->is_v4() == aim.to.address.is_v4()) out.push_back(*address);
    }
  }
  if (!source.host()) return out;
  if (const Result<IpAddress> own = probing::local_address(aim.to.address)) out.push_back(*own);
  return out;
}

// Each once more for the probe alone, with a limit of its own: a busy service would use up the common one.
std::vector<Selector> with_peers(const std::vector<Selector>& list, const std::vector<IpAddress>& peers) {
  std::vector<Selector> out;
  for (Selector s : list) {
    for (const IpAddress& peer : peers) {
      s.peer = peer;
      if (!s.address || *s.address != peer) out.push_back(s);
    }
  }
  out.insert(out.end(), list.begin(), list.end());
  return out;
}

bool bridged(const Container& c) {
  return c.kind == NetworkKind::bridge;
}

bool has_own_netns(const Container& c) {
  return c.alive() && c.kind != NetworkKind::host;
}

NetnsPlace place_of(UniqueFd fd) {
  NetnsPlace out;
  out.kind = NetnsPlace::Kind::descriptor;
  out.fd = std::make_shared<UniqueFd>(std::move(fd));
  return out;
}

void add_rootless(const Source& source, const Aim& aim, uid_t caller, Places& out) {
  const std::string name = "the rootless networks";
  const Container& c = bridged(source.container) ? source.container : aim.container;
  if (c.owner != caller) {
    out.untraced.push_back(
        {name,
         {ErrorKind::permission, "they are another user's (uid " + std::to_string(c.owner) + ")",
          "run podshark trace as that user"}});
    return;
  }
  Result<UniqueFd> fd = discover::open_rootless_netns(discover::calling_user());
  if (!fd) {
    out.untraced.push_back({name, fd.error()});
    return;
  }
  out.places.push_back({name, place_of(std::move(*fd)), on_the_way(aim)});
}

}  // namespace

Ways ways(const Source& source, const Aim& aim) {
  const Container& from = source.container;
  const Container& to = aim.container;
  Ways out;
  out.rootless = (!source.host() && from.rootless && bridged(from)) || (to.rootless && bridged(to));
  const bool rootful = (!source.host() && !from.rootless) || (to.alive() && !to.rootless);
  out.host = source.host() || rootful || !to.alive() || aim.published;
  // Whatever a container sends to itself stays inside.
  const bool itself = !source.host() && source.pid == to.pid && !aim.published;
  if (itself) out = {};
  return out;
}

namespace {

// Places with the selectors that do not depend on who sends.
Places places_on_the_way(const Source& source, const Aim& aim, uid_t caller) {
  Places out;
  const Ways over = ways(source, aim);
  const auto container = [](const std::string& name) { return "container " + in_quotes(name); };
  const bool same = source.pid == aim.container.pid;
  if (!source.host() && !same) out.places.push_back({container(source.name), source.netns, on_the_way(aim)});
  if (over.rootless && (!source.host() && source.container.rootless)) add_rootless(source, aim, caller, out);
  if (over.host) out.places.push_back({"the host", NetnsPlace::host(), on_the_way(aim)});
  if (over.rootless && (source.host() || !source.container.rootless)) add_rootless(source, aim, caller, out);
  if (has_own_netns(aim.container)) {
    TracePlace target{container(aim.container_name), NetnsPlace::of(aim.container), {}};
    // Forwarders of rootless containers open connections of their own in there, to whichever address.
    add(target.selectors, {std::nullopt, protocol_number(aim.protocol), aim.container_port});
    if (same) {
      for (const Selector& s : on_the_way(aim)) {
        if (s.port != aim.container_port) add(target.selectors, s);
      }
    }
    out.places.push_back(std::move(target));
  } else if (same && !source.host()) {
    out.places.push_back({container(source.name), source.netns, on_the_way(aim)});
  }
  return out;
}

}  // namespace

Places find_places(const Source& source, const Aim& aim, uid_t caller) {
  Places out = places_on_the_way(source, aim, caller);
  const std::vector<IpAddress> peers = source_addresses(source, aim);
  for (TracePlace& place : out.places) place.selectors = with_peers(place.selectors, peers);
  return out;
}

Places find_others_places(const Source& source, const Aim& aim, uid_t caller) {
  Places out = places_on_the_way(source, aim, caller);
  for (TracePlace& place : out.places) {
    if (place.netns.kind != NetnsPlace::Kind::host) continue;
    for (const std::uint16_t port : published_ports(aim))
      add(place.selectors, {std::nullopt, protocol_number(aim.protocol), port});
  }
  return out;
}

std::vector<std::uint16_t> published_ports(const Aim& aim) {
  const char* protocol = aim.protocol == probe::Protocol::udp ? "udp" : "tcp";
  std::vector<std::uint16_t> out;
  if (aim.protocol == probe::Protocol::icmp) return out;
  for (const model::PortMapping& p : aim.container.ports) {
    const bool leads =
        p.host_port != 0 && probing::covers(p, aim.container_port, /* host_side= */ false, protocol);
    if (leads)
      out.push_back(static_cast<std::uint16_t>(p.host_port + (aim.container_port - p.container_port)));
  }
  return out;
}

}  // namespace podshark::extcap::tracing
