// SPDX-License-Identifier: GPL-2.0-or-later
// What the links of a network namespace have carried and lost, as the kernel counts it (`ip -s link`).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "podman/core/result.h"

namespace podshark::kernel {

/// Totals since the link was made (IFLA_STATS64), seen from inside: rx arrives in the namespace. On lo both
/// directions count every packet. `network reload` makes eth0 anew with another ifindex, its counters
/// beginning at zero.
struct LinkCounters {
  int ifindex = 0;
  std::string name;
  unsigned flags = 0;   ///< IFF_*, net/if.h
  unsigned arphrd = 0;  ///< ARPHRD_*, net/if_arp.h
  std::uint64_t rx_packets = 0;
  std::uint64_t rx_bytes = 0;  ///< with the link-layer header, except on lo
  std::uint64_t rx_errors = 0;
  std::uint64_t rx_dropped = 0;
  std::uint64_t tx_packets = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t tx_errors = 0;
  std::uint64_t tx_dropped = 0;
  [[nodiscard]] bool loopback() const { return (flags & 0x8U) != 0; }  // IFF_LOOPBACK
  [[nodiscard]] bool up() const { return (flags & 0x1U) != 0; }        // IFF_UP
};

/// All links of the namespace that `netlink_fd` (NETLINK_ROUTE) was made in, by ifindex. Use another socket
/// than for subscribe_links. Blocks for at most a second on a kernel that does not answer.
[[nodiscard]] Result<std::vector<LinkCounters>> link_counters(int netlink_fd);

}  // namespace podshark::kernel
