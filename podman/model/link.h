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
  std::vector<std::string> addresses;  ///< "10.88.0.2/16", "fd00::2/64"; no IPv6 link-local ones
  [[nodiscard]] bool loopback() const { return (flags & 0x8U) != 0; }  // IFF_LOOPBACK
};

}  // namespace podshark::model
