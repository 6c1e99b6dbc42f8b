// SPDX-License-Identifier: GPL-2.0-or-later
// What NAT statements do to a packet. Private to podman/firewall.
#pragma once

#include <string>

#include "podman/firewall/packet.h"

namespace podshark::firewall {

/// Changes the packet as the kernel would: of a range the present address or port if it is within, else the
/// first. False, and nothing changed, when the target is of the other address family.
[[nodiscard]] bool translate(const Statement& nat, Packet& packet);
void set_mark(const MarkChange& change, Mark& mark);
/// "dnat to 10.88.0.2:80", "masquerade".
[[nodiscard]] std::string nat_text(const Statement& nat);

}  // namespace podshark::firewall
