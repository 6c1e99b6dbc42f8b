// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace podshark::model {

/// A network link (kernel object) as rtnetlink shows it in one network namespace.
struct Link {
  int ifindex = 0;
  std::string name;
  std::string kind;     ///< IFLA_INFO_KIND: veth, bridge, tun, macvlan…; empty for physical links and lo
  std::string mac;      ///< lower-case with colons, empty when it has none
  unsigned arphrd = 0;  ///< ARPHRD_*, net/if_arp.h
  unsigned flags = 0;   ///< IFF_*, net/if.h
  std::uint32_t mtu = 0;
  int master = 0;      ///< ifindex of the bridge it is a port of, 0 none
  int peer = 0;        ///< veth: ifindex of the other end, in the namespace `peer_nsid`
  int peer_nsid = -1;  ///< id that the link's namespace gave the peer's; -1: the same one, or not known
  std::vector<std::string> addresses;  ///< "10.88.0.2/16", "fd00::2/64"; no IPv6 link-local ones
  [[nodiscard]] bool loopback() const { return (flags & 0x8U) != 0; }  // IFF_LOOPBACK
};

}  // namespace podshark::model
