// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/probe/reach.h"

#include <algorithm>
#include <utility>

#include "extcap/naming.h"
#include "extcap/probe/outside.h"
#include "podman/core/text.h"

namespace podshark::extcap::probing {
namespace {

using model::Container;
using model::NetworkKind;

Error stopped(const Container& c) {
  return {ErrorKind::not_running,
          "container " + in_quotes(c.name) + " is not running (" + one_line(c.state, 20) + ")",
          "start it: podman start " + one_line(c.name, 80)};
}

}  // namespace

Result<std::optional<Named>> find_named(const std::string& name, const model::Inventory& inventory,
                                        uid_t caller) {
  const bool pod = name.starts_with("pod/");
  if (names_a_group(name) && !pod) {
    return Error{ErrorKind::usage, "'" + one_line(name, 80) + "' may be several containers",
                 "name one container, or use --mesh pod/NAME or net/NAME"};
  }
  Result<Targets> found = resolve({name}, inventory, caller);
  if (!found && found.error().kind == ErrorKind::not_found && !pod) return std::optional<Named>();
  if (!found) return found.error();
  if (found->running.empty()) {
    if (found->stopped.empty()) return std::optional<Named>();
    return stopped(found->stopped.front());
  }
  return std::optional<Named>(Named{found->running.front().container, one_line(name, 80)});
}

Result<Source> find_source(const std::string& name, const model::Inventory& inventory, uid_t caller) {
  if (name == "host") return Source{};
  if (name.starts_with("ssh:")) {
    Result<std::string> there = parse_ssh(name);
    if (!there) return there.error();
    Source out;
    out.name = out.ssh = *there;
    return out;
  }
  Result<std::optional<Named>> named = find_named(name, inventory, caller);
  if (!named) return named.error();
  if (!*named) return resolve({name}, inventory, caller).error();
  Source out;
  if ((*named)->owner.kind == NetworkKind::host) return out;  // the same namespace
  out.name = (*named)->name;
  out.pid = (*named)->owner.pid;
  out.container = (*named)->owner;
  out.netns = NetnsPlace::of(out.container);
  return out;
}

std::vector<IpAddress> addresses_for(const Container& c, const Source& source) {
  std::vector<IpAddress> common;
  std::vector<IpAddress> other;
  for (const model::Attachment& a : c.networks) {
    const bool shared =
        !a.network.empty() && std::any_of(source.container.networks.begin(), source.container.networks.end(),
                                          [&](const auto& own) { return own.network == a.network; });
    for (const std::string& text : a.addresses) {
      if (const auto address = IpAddress::parse(text)) (shared ? common : other).push_back(*address);
    }
  }
  // IPv4 before IPv6, as it is what every network has.
  const auto v4_first = [](std::vector<IpAddress>& list) {
    std::stable_partition(list.begin(), list.end(), [](const IpAddress& a) { return a.is_v4(); });
  };
  v4_first(common);
  v4_first(other);
  common.insert(common.end(), other.begin(), other.end());
  const bool same = !source.host() && c.netns != 0 && c.netns == source.container.netns;
  if (common.empty() && same) common.push_back(*IpAddress::parse("127.0.0.1"));
  return common;
}

std::string not_addressable(const Container& c, const Source& source) {
  if (!source.host() && c.netns != 0 && c.netns == source.container.netns) return {};
  const std::string name = in_quotes(c.name);
  if (c.kind == NetworkKind::none) return "container " + name + " has no network";
  if (!source.ssh.empty() && c.kind != NetworkKind::macvlan && c.kind != NetworkKind::ipvlan)
    return "the address of container " + name + " means nothing on other machines";
  if (!c.rootless) return {};
  if (c.kind == NetworkKind::slirp4netns || c.kind == NetworkKind::pasta) {
    return "the address of container " + name + " means nothing outside of it (" + model::to_string(c.kind) +
           ")";
  }
  if (source.host())
    return "the address of container " + name + " cannot be reached from the host (rootless network)";
  const bool same_user = source.container.rootless && source.container.owner == c.owner;
  const bool bridged =
      source.container.kind != NetworkKind::slirp4netns && source.container.kind != NetworkKind::pasta;
  if (same_user && bridged) return {};
  return "the address of container " + name + " is in a rootless network that " + in_quotes(source.name) +
         " is not in";
}

bool covers(const model::PortMapping& m, std::uint16_t port, bool host_side, const char* protocol) {
  const std::uint32_t first = host_side ? m.host_port : m.container_port;
  return m.protocol == protocol && port >= first && port < first + m.range;
}

const model::PortMapping* mapping_of(const Container& c, std::uint16_t port, bool host_side,
                                     const char* protocol) {
  for (const model::PortMapping& m : c.ports) {
    if (covers(m, port, host_side, protocol)) return &m;
  }
  return nullptr;
}

std::string unforwarded(const Container& c, const model::Inventory& inventory) {
  if (c.kind == NetworkKind::macvlan || c.kind == NetworkKind::ipvlan)
    return std::string("it is a ") + model::to_string(c.kind);
  bool all_internal = !c.networks.empty();
  for (const model::Attachment& a : c.networks) {
    const auto network = std::find_if(inventory.networks.begin(), inventory.networks.end(),
                                      [&](const model::Network& n) { return n.name == a.network; });
    all_internal = all_internal && network != inventory.networks.end() && network->internal;
  }
  return all_internal ? "it is internal" : "";
}

}  // namespace podshark::extcap::probing
