// SPDX-License-Identifier: GPL-2.0-or-later
// Links of a network namespace by rtnetlink(7), like podman/kernel/rtnetlink but without libstdc++. What the
// kernel tells was chosen by whoever is root in there; lengths are checked.
#pragma once

#include <net/if.h>

#include <cstddef>
#include <cstdint>

#include "extcap/agent/line.h"

namespace podshark::agent {

inline constexpr std::size_t kMaxLinks = 256;  ///< of one namespace

struct Link {
  int ifindex;
  unsigned type;   ///< ARPHRD_
  unsigned flags;  ///< IFF_
  char name[IFNAMSIZ];
  std::uint8_t mac[8];
  std::size_t mac_size;      ///< 0: none
  char addresses[400];       ///< "10.88.0.3/16,fd00::3/64", as many as fit
  std::size_t address_size;  ///< bytes of them
};

struct LinkList {
  Link links[kMaxLinks];
  std::size_t count = 0;
  bool cut = false;  ///< there are more
};

/// Asks through a NETLINK_ROUTE socket of that namespace. 0, or a negative errno.
[[nodiscard]] int list_links(int fd, LinkList* out);

/// From now on the socket is readable when links have changed; drain_changes takes it all away.
[[nodiscard]] int subscribe_links(int fd);
void drain_changes(int fd);

/// Adds what one datagram of an answer tells. Pure. Returns 1 at the end of the dump, 0 before it, or the
/// kernel's negative errno.
[[nodiscard]] int read_answer(const void* datagram, std::size_t size, std::uint32_t sequence, LinkList* out);

/// if_description: "type=1 mac=aa:bb:cc:dd:ee:ff address=10.88.0.3/16,fd00::3/64". Pure.
void describe(const Link& link, Line* out);

}  // namespace podshark::agent
