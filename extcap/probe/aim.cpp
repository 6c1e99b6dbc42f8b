// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/probe/aim.h"

#include <algorithm>
#include <utility>

#include "extcap/naming.h"
#include "extcap/probe/look.h"
#include "extcap/probe/names.h"
#include "podman/core/text.h"

namespace podshark::extcap::probing {
namespace {

using model::Container;
using model::NetworkKind;
using probe::Protocol;

constexpr const char* kOutside =
    "from outside: not measured; packets of the host itself skip its forward chain";

IpAddress loopback(bool v4) {
  static constexpr std::array<std::uint8_t, 4> k4{127, 0, 0, 1};
  static constexpr std::array<std::uint8_t, 16> k6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return v4 ? IpAddress::v4(k4.data()) : IpAddress::v6(k6.data());
}

// Where a process at `source` finds the host.
Result<IpAddress> host_seen_from(const Source& source) {
  if (source.host()) return loopback(true);
  if (!source.ssh.empty()) return host_address();
  if (const Result<NameService> names = read_name_service(source.pid)) {
    const auto known = find_host(*names, "host.containers.internal");
    if (!known.empty()) return known.front();
  }
  return host_address();
}

const char* mapped_protocol(Protocol p) {
  return p == Protocol::udp ? "udp" : "tcp";
}

bool wildcard(const std::string& host_ip) {
  return host_ip.empty() || host_ip == "0.0.0.0" || host_ip == "::";
}

void set_container(const Container& c, const std::string& name, const model::Inventory& inventory, Aim& aim) {
  aim.container = c;
  aim.container_name = name;
  aim.unforwarded = unforwarded(c, inventory);
}

// Fills what is known when an address of the host is aimed at.
void find_publisher(const model::Inventory& inventory, Aim& aim) {
  for (const Container& c : inventory.containers) {
    const model::PortMapping* m =
        c.alive() ? mapping_of(c, aim.to.port, true, mapped_protocol(aim.protocol)) : nullptr;
    if (m == nullptr) continue;
    if (!wildcard(m->host_ip) && IpAddress::parse(m->host_ip) != aim.to.address) continue;
    set_container(c, one_line(c.name, 80), inventory, aim);
    aim.container_port = static_cast<std::uint16_t>(m->container_port + (aim.to.port - m->host_port));
    aim.published = true;
    return;
  }
}

// Fills what is known when a container's own address is aimed at.
void find_owner(const model::Inventory& inventory, const Source& source, Aim& aim) {
  if (!source.host() && aim.to.address.loopback()) {
    set_container(source.container, source.name, inventory, aim);
    aim.container_port = aim.to.port;
    return;
  }
  const Container* found = nullptr;
  for (const Container& c : inventory.containers) {
    // Whose address means nothing here can not be the one.
    if (!c.alive() || !not_addressable(c, source).empty()) continue;
    const auto all = addresses_for(c, source);
    if (std::find(all.begin(), all.end(), aim.to.address) == all.end()) continue;
    if (found != nullptr && found->netns != c.netns) return;  // two of them: not certain
    if (found == nullptr || !c.shares_with.empty()) found = &c;
  }
  if (found == nullptr) return;
  set_container(*found, one_line(found->name, 80), inventory, aim);
  aim.container_port = aim.to.port;
}

bool needs_port(Protocol p) {
  return p == Protocol::tcp || p == Protocol::udp;
}

Result<std::uint16_t> only_port(const Named& named, const Aim& aim) {
  std::vector<std::uint16_t> ports = reachable_ports(named.owner, aim.protocol == Protocol::udp);
  if (ports.size() == 1) return ports.front();
  std::string list;
  for (std::size_t i = 0; i < ports.size() && i < 8; ++i)
    list += (i == 0 ? "" : ", ") + std::to_string(ports[i]);
  return Error{ErrorKind::usage, "which port of " + in_quotes(named.name) + "?",
               ports.empty() ? "nothing listens in it; say " + named.name + ":PORT"
                             : "it listens on " + list + "; say " + named.name + ":PORT, or --all-ports"};
}

// As mapping_of; of several, other machines get one that is not on the host's loopback.
const model::PortMapping* mapping_for(const Container& c, std::uint16_t port, bool host_side,
                                      const char* protocol, const Source& source) {
  for (const model::PortMapping& m : c.ports) {
    const auto bound = IpAddress::parse(m.host_ip);
    const bool reached = !bound || !bound->loopback();
    if (!source.ssh.empty() && reached && covers(m, port, host_side, protocol)) return &m;
  }
  return mapping_of(c, port, host_side, protocol);
}

Status aim_by_publishing(const Named& named, std::uint16_t port, const Source& source, Aim& aim) {
  const char* protocol = mapped_protocol(aim.protocol);
  const model::PortMapping* m = mapping_for(named.owner, port, false, protocol, source);
  std::uint16_t offset = 0;
  if (m != nullptr) {
    offset = static_cast<std::uint16_t>(port - m->container_port);
  } else if ((m = mapping_for(named.owner, port, true, protocol, source)) != nullptr) {
    offset = static_cast<std::uint16_t>(port - m->host_port);
  } else {
    const std::string why =
        named.owner.limited ? "what it publishes is known to root only" : "it is not published";
    return Error{ErrorKind::unsupported,
                 "port " + std::to_string(port) + "/" + protocol + " of " + in_quotes(named.name) +
                     " cannot be probed on the host: " + why,
                 "publish it with -p, or probe the container's own address"};
  }
  const Result<IpAddress> host = host_seen_from(source);
  if (!host) return host.error();
  aim_published(*m, offset, *host, aim);
  if (!source.ssh.empty() && aim.to.address.loopback()) {
    return Error{ErrorKind::unsupported,
                 "port " + std::to_string(port) + "/" + protocol + " of " + in_quotes(named.name) +
                     " is published on " + aim.to.address.text() + " only: other machines cannot reach it",
                 "to serve them, create the container with -p " + std::to_string(aim.to.port) + ":" +
                     std::to_string(aim.container_port)};
  }
  if (source.host()) aim.notes.emplace_back(kOutside);
  return ok();
}

Status aim_at_container(const Named& named, const TargetText& target, const Source& source, bool published,
                        Aim& aim) {
  std::uint16_t port = target.port.value_or(0);
  if (needs_port(aim.protocol) && port == 0) {
    const Result<std::uint16_t> only = only_port(named, aim);
    if (!only) return only.error();
    port = *only;
    aim.target = named.name + ":" + std::to_string(port);
  }
  const std::string why = not_addressable(named.owner, source);
  const bool forwarded = needs_port(aim.protocol) && (published || !why.empty());
  if (forwarded) {
    if (!published && mapping_of(named.owner, port, false, mapped_protocol(aim.protocol)) == nullptr) {
      return Error{ErrorKind::unsupported, why,
                   "its port " + std::to_string(port) + " is not published either"};
    }
    if (!published) aim.notes.push_back(why + ": its published port is probed");
    return aim_by_publishing(named, port, source, aim);
  }
  if (!why.empty()) return Error{ErrorKind::unsupported, why, {}};
  const std::vector<IpAddress> addresses = addresses_for(named.owner, source);
  if (addresses.empty()) {
    return Error{ErrorKind::unsupported, "container " + in_quotes(named.name) + " has no address",
                 "its network mode is " + std::string(model::to_string(named.owner.kind))};
  }
  aim.to = {addresses.front(), port};
  aim.container_port = port;
  return ok();
}

// An address, "host", or a name that only a resolver knows.
Status aim_at_host(const TargetText& target, const Source& source, const model::Inventory& inventory,
                   Resolver& resolver, Aim& aim) {
  Result<IpAddress> address = host_seen_from(source);
  if (const auto literal = IpAddress::parse(target.host);
      literal && target.host.find('/') == std::string::npos) {
    address = *literal;
  } else if (target.host != "host" && !source.ssh.empty()) {
    return Error{ErrorKind::unsupported, "names cannot be looked up on other machines",
                 "say an address, or host:PORT"};
  } else if (target.host != "host") {
    address = resolver.resolve(source, target.host);
  }
  if (!address) return address.error();
  if (needs_port(aim.protocol) && !target.port) {
    return Error{ErrorKind::usage, "target '" + one_line(target.host, 80) + "' has no port",
                 "say " + one_line(target.host, 80) + ":PORT, or /icmp"};
  }
  aim.to = {*address, target.port.value_or(0)};
  const Result<IpAddress> uplink = host_address();
  const bool own = aim.to.address.loopback() ? source.host() : uplink && *uplink == aim.to.address;
  if (own || target.host == "host") find_publisher(inventory, aim);
  if (own && source.host() && aim.published) aim.notes.emplace_back(kOutside);
  if (!aim.published) find_owner(inventory, source, aim);
  return ok();
}

// The name to ask for, and whom.
Status aim_at_name(const TargetText& target, const Source& source, Aim& aim) {
  if (!is_host_name(target.host) && target.host != ".") {
    return Error{ErrorKind::usage, "'" + one_line(target.host, 80) + "' is no host name", {}};
  }
  const Result<NameService> names = read_name_service(source.pid);
  if (!names) return names.error();
  if (names->servers.empty()) {
    return Error{ErrorKind::unsupported, "/etc/resolv.conf of " + source.name + " names no server", {}};
  }
  aim.to = {names->servers.front(), target.port.value_or(53)};
  aim.dns_names = with_search(*names, target.host);
  return ok();
}

}  // namespace

Result<Aim> find_aim(const TargetText& target, const Source& source, const model::Inventory& inventory,
                     uid_t caller, const AimOptions& options, Resolver& resolver) {
  Aim aim;
  aim.protocol = target.protocol.value_or(options.mtu ? Protocol::path_mtu : Protocol::tcp);
  if (!source.ssh.empty() && aim.protocol != Protocol::tcp)
    return Error{ErrorKind::unsupported,
                 std::string(probe::to_string(aim.protocol)) + " cannot be probed from other machines",
                 "only tcp can"};
  aim.target = one_line(target.host, 80) + (target.port ? ":" + std::to_string(*target.port) : "");
  const auto finish = [&](const Status& s) -> Result<Aim> {
    if (!s) return s.error();
    aim.target += std::string("/") + probe::to_string(aim.protocol);
    return std::move(aim);
  };
  if (aim.protocol == Protocol::dns) return finish(aim_at_name(target, source, aim));
  if (target.host == "host" || IpAddress::parse(target.host))
    return finish(aim_at_host(target, source, inventory, resolver, aim));
  const Result<std::optional<Named>> named = find_named(target.host, inventory, caller);
  if (!named) return named.error();
  if (!*named) {
    // A name without port is meant to be a container.
    if (needs_port(aim.protocol) && !target.port) return resolve({target.host}, inventory, caller).error();
    Status s = aim_at_host(target, source, inventory, resolver, aim);
    // "No such container" says more than "no such name" where it can not be a name.
    if (!s && s.error().kind == ErrorKind::not_found) {
      const Error none = resolve({target.host}, inventory, caller).error();
      return Error{none.kind, none.what + ", and " + s.error().what, none.hint};
    }
    return finish(s);
  }
  set_container((*named)->owner, (*named)->name, inventory, aim);
  if ((*named)->owner.kind == NetworkKind::host) {
    TargetText there = target;
    there.host = "host";
    Status s = aim_at_host(there, source, inventory, resolver, aim);
    set_container((*named)->owner, (*named)->name, inventory, aim);
    aim.container_port = aim.to.port;
    return finish(s);
  }
  return finish(aim_at_container(**named, target, source, options.published, aim));
}

void aim_published(const model::PortMapping& mapping, std::uint16_t offset, const IpAddress& host, Aim& aim) {
  const auto bound = wildcard(mapping.host_ip) ? std::nullopt : IpAddress::parse(mapping.host_ip);
  const bool v6_only = mapping.host_ip == "::";
  aim.to.address = bound ? *bound : v6_only && host.loopback() ? loopback(false) : host;
  aim.to.port = static_cast<std::uint16_t>(mapping.host_port + offset);
  aim.container_port = static_cast<std::uint16_t>(mapping.container_port + offset);
  aim.published = true;
}

}  // namespace podshark::extcap::probing
