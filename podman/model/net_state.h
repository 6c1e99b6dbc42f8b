// SPDX-License-Identifier: GPL-2.0-or-later
// What decides over a packet's way besides firewall rules, as the kernel tells it of one network namespace.
// Plain data.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "podman/core/ip_address.h"

namespace podshark::model {

struct Route {
  bool v6 = false;
  IpAddress destination;
  unsigned prefix = 0;  ///< bits; 0: the default route
  std::optional<IpAddress> gateway;
  int oif = 0;
  std::uint32_t table = 0;   ///< RT_TABLE_MAIN is 254, RT_TABLE_LOCAL 255
  std::uint32_t metric = 0;  ///< the smallest wins
  unsigned type = 1;         ///< RTN_*: 1 unicast, 2 local, 6 blackhole, 7 unreachable, 8 prohibit
  bool operator==(const Route&) const = default;
};

struct Neighbour {
  int ifindex = 0;
  IpAddress address;
  std::string mac;     ///< empty while it is not known
  unsigned state = 0;  ///< NUD_*, linux/neighbour.h
  bool operator==(const Neighbour&) const = default;
  [[nodiscard]] bool permanent() const { return (state & 0x80U) != 0; }  // NUD_PERMANENT
  [[nodiscard]] bool failed() const { return (state & 0x21U) != 0; }     // NUD_FAILED, NUD_INCOMPLETE
  [[nodiscard]] bool stale() const { return (state & 0x04U) != 0; }      // NUD_STALE: to be asked for again
};

/// What the kernel's ip-sysctl.rst calls conf/LINK/…; nothing where the kernel did not tell.
struct LinkSettings {
  int ifindex = 0;
  std::optional<int> forwarding;      ///< IPv4
  std::optional<int> rp_filter;       ///< the larger of this and conf/all counts
  std::optional<int> route_localnet;  ///< on, if this or conf/all is
  std::optional<int> accept_ra;
  std::optional<bool> hairpin;  ///< of a bridge's port (IFLA_BRPORT_MODE); nothing for other links
  bool operator==(const LinkSettings&) const = default;
};

/// conf/all of the namespace.
struct AllSettings {
  std::optional<int> forwarding;  ///< net.ipv4.ip_forward is the same value
  std::optional<int> rp_filter;
  std::optional<int> forwarding6;
  bool operator==(const AllSettings&) const = default;
};

struct NetState {
  std::vector<Route> routes;  ///< unicast, blackhole and the like of all tables but the local one
  std::vector<Neighbour> neighbours;
  std::vector<LinkSettings> links;
  AllSettings all;
};

/// The kernel's own answer (RTM_GETROUTE) to where a packet to `to` would leave. `error` is an errno,
/// ENETUNREACH and the like, when there is no way.
struct RouteAnswer {
  IpAddress to;
  int oif = 0;
  std::optional<IpAddress> gateway;
  int error = 0;
};

/// A TCP listener or a UDP socket that waits for anybody (proc(5), net/tcp and net/udp).
struct Listener {
  IpAddress address;  ///< all zero: any (v6: of both families unless IPV6_V6ONLY, which /proc does not show)
  std::uint16_t port = 0;
  bool udp = false;
  bool v6 = false;            ///< an AF_INET6 socket
  std::uint32_t waiting = 0;  ///< TCP: connections that nobody has accepted yet; UDP: bytes nobody has read
  std::uint64_t inode = 0;
  pid_t pid = 0;        ///< who holds it; 0 where that can not be seen
  std::string program;  ///< its comm
  bool operator==(const Listener&) const = default;
  [[nodiscard]] bool any() const;  ///< bound to every address
};

}  // namespace podshark::model
