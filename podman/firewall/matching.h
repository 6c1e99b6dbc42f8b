// SPDX-License-Identifier: GPL-2.0-or-later
// Does a packet fit? In three-valued logic, since neither rules nor packets are fully known. Private to
// podman/firewall.
#pragma once

#include "podman/firewall/packet.h"

namespace podshark::firewall {

enum class Tri { no, yes, unknown };

/// Whether the packet is in the match.
[[nodiscard]] Tri fits(const Match& match, const Packet& packet);

/// Whether row `row` of the match's values fits; negation aside.
[[nodiscard]] Tri row_fits(const Match& match, std::size_t row, const Packet& packet);

}  // namespace podshark::firewall
