// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/probe/mesh.h"

#include <algorithm>
#include <map>
#include <utility>

#include "extcap/probe/look.h"
#include "podman/core/text.h"
#include "podman/discover/proc_sockets.h"

namespace podshark::extcap::probing {
namespace {

using model::Container;
using probe::Protocol;

const IpAddress& loopback4() {
  static const IpAddress address = *IpAddress::parse("127.0.0.1");
  return address;
}

Source source_of(const Container& c) {
  Source out;
  out.name = one_line(c.name, 80);
  out.pid = c.pid;
  out.container = c;
  out.netns = NetnsPlace::of(c);
  return out;
}

Aim aim_at(const Container& c, const IpAddress& address, std::uint16_t port,
           Protocol protocol = Protocol::tcp) {
  Aim aim;
  aim.protocol = protocol;
  aim.container = c;
  aim.container_name = one_line(c.name, 80);
  aim.container_port = port;
  aim.to = {address, port};
  aim.target = aim.container_name + ":" + std::to_string(port) + "/" + probe::to_string(protocol);
  return aim;
}

Error too_many(const std::string& what, std::size_t limit) {
  return {ErrorKind::unsupported, what + ": more than " + std::to_string(limit),
          "probe some of them one by one"};
}

IpAddress address_in(const Container& c, const std::string& network) {
  for (const model::Attachment& a : c.networks) {
    if (a.network != network) continue;
    for (const std::string& text : a.addresses) {
      if (const auto address = IpAddress::parse(text)) return *address;
    }
  }
  return {};
}

Result<std::vector<Job>> network_jobs(const std::string& name, const model::Inventory& inventory) {
  const auto network = std::find_if(inventory.networks.begin(), inventory.networks.end(),
                                    [&](const model::Network& n) { return n.name == name; });
  if (network == inventory.networks.end())
    return Error{ErrorKind::not_found, "no network is called " + in_quotes(name), "see 'podman network ls'"};
  std::vector<const Container*> members;
  for (const Container& c : inventory.containers) {
    if (c.alive() && c.shares_with.empty() && address_in(c, name) != IpAddress{}) members.push_back(&c);
  }
  if (members.size() > kMaxMembers) return too_many("containers in network " + in_quotes(name), kMaxMembers);
  if (members.size() < 2) {
    return Error{ErrorKind::not_running,
                 "network " + in_quotes(name) + " has fewer than two running containers",
                 "see 'podshark list'"};
  }
  std::vector<Job> jobs;
  for (const Container* to : members) {
    std::vector<std::uint16_t> ports = reachable_ports(*to, false);
    ports.resize(std::min(ports.size(), kMaxMeshPorts));
    for (const std::uint16_t port : ports) {
      for (const Container* from : members) {
        if (from != to) jobs.push_back({source_of(*from), aim_at(*to, address_in(*to, name), port)});
      }
    }
  }
  return jobs;
}

// Ports of the processes of one member, which shares its namespace with others.
std::vector<std::uint16_t> own_ports(const Container& c) {
  std::vector<std::uint16_t> out;
  for (const discover::HeldPort& p : discover::held_ports(discover::container_processes(c.pid)).ports) {
    if (p.listening && !p.udp && out.size() < kMaxMeshPorts) out.push_back(p.port);
  }
  return out;
}

Result<std::vector<Job>> pod_jobs(const std::string& name, const model::Inventory& inventory) {
  const auto pod = std::find_if(inventory.pods.begin(), inventory.pods.end(),
                                [&](const model::Pod& p) { return p.name == name; });
  if (pod == inventory.pods.end())
    return Error{ErrorKind::not_found, "no pod is called " + in_quotes(name), "see 'podman pod ps'"};
  std::vector<const Container*> members;
  for (const std::string& id : pod->members) {
    const Container* c = inventory.by_id(id);
    if (c != nullptr && c->alive() && !c->infra && c->kind != model::NetworkKind::host) members.push_back(c);
  }
  if (members.size() > kMaxMembers) return too_many("containers in pod " + in_quotes(name), kMaxMembers);
  if (members.empty())
    return Error{ErrorKind::not_running, "pod " + in_quotes(name) + " has no running container",
                 "start it: podman pod start " + one_line(name, 80)};
  std::vector<Job> jobs;
  for (const Container* to : members) {
    for (const std::uint16_t port : own_ports(*to)) {
      for (const Container* from : members) {
        const bool same = from->netns == to->netns;
        const auto addresses = addresses_for(*to, source_of(*from));
        if (from == to || (!same && addresses.empty())) continue;
        jobs.push_back({source_of(*from), aim_at(*to, same ? loopback4() : addresses.front(), port)});
      }
    }
  }
  return jobs;
}

// Ports that the container publishes on the host.
void add_published(const Container& c, const std::string& name, const model::Inventory& inventory,
                   const Source& source, const IpAddress& host, std::vector<Job>& jobs) {
  for (const model::PortMapping& m : c.ports) {
    if (m.protocol != "tcp" && (m.protocol != "udp" || !source.ssh.empty())) continue;
    for (std::uint16_t i = 0; i < m.range && jobs.size() <= kMaxMeshProbes; ++i) {
      Aim aim = aim_at(c, host, m.host_port, m.protocol == "udp" ? Protocol::udp : Protocol::tcp);
      aim.container_name = name;
      aim_published(m, i, host, aim);
      if (!source.ssh.empty() && aim.to.address.loopback()) continue;
      aim.unforwarded = unforwarded(c, inventory);
      aim.target = "host:" + std::to_string(aim.to.port) + "/" + m.protocol;
      jobs.push_back({source, std::move(aim)});
    }
  }
}

}  // namespace

Result<std::vector<Job>> mesh_jobs(const std::string& mesh, const model::Inventory& inventory) {
  const bool pod = mesh.starts_with("pod/");
  if (!pod && !mesh.starts_with("net/"))
    return Error{
        ErrorKind::usage, "--mesh '" + one_line(mesh, 80) + "' is neither pod/NAME nor net/NAME", {}};
  Result<std::vector<Job>> jobs =
      pod ? pod_jobs(mesh.substr(4), inventory) : network_jobs(mesh.substr(4), inventory);
  if (!jobs) return jobs.error();
  if (jobs->size() > kMaxMeshProbes) return too_many("probes of this mesh", kMaxMeshProbes);
  if (jobs->empty()) {
    return Error{ErrorKind::not_running,
                 "nobody in " + in_quotes(mesh) + " listens on a TCP port that others reach",
                 "are the applications up?"};
  }
  return jobs;
}

Result<std::vector<Job>> all_port_jobs(const std::string& target, const Source& source,
                                       const model::Inventory& inventory, uid_t caller) {
  const Result<std::optional<Named>> named = find_named(target, inventory, caller);
  if (!named) return named.error();
  if (!*named)
    return Error{ErrorKind::not_found, "no container or pod is called " + in_quotes(target),
                 "see 'podshark list'"};
  const Container& c = (*named)->owner;
  std::vector<Job> jobs;
  if (source.host()) add_published(c, (*named)->name, inventory, source, loopback4(), jobs);
  if (!source.ssh.empty()) {
    const Result<IpAddress> host = host_address();
    if (!host) return host.error();
    add_published(c, (*named)->name, inventory, source, *host, jobs);
  }
  const std::vector<IpAddress> addresses = addresses_for(c, source);
  if (not_addressable(c, source).empty() && !addresses.empty()) {
    for (const std::uint16_t port : reachable_ports(c, false)) {
      Aim aim = aim_at(c, addresses.front(), port);
      aim.container_name = (*named)->name;
      aim.target = (*named)->name + ":" + std::to_string(port) + "/tcp";
      jobs.push_back({source, std::move(aim)});
    }
  }
  if (jobs.size() > kMaxMeshProbes) return too_many("ports of " + in_quotes(target), kMaxMeshProbes);
  if (jobs.empty()) {
    return Error{ErrorKind::unsupported,
                 "no port of " + in_quotes(target) + " can be probed from " + source.name,
                 "it publishes none, and none that listens can be reached"};
  }
  return jobs;
}

}  // namespace podshark::extcap::probing
