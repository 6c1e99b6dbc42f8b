// SPDX-License-Identifier: GPL-2.0-or-later
// `nft -j -a list ruleset` → Ruleset. Written after libnftables-json(5); read from nft 1.0.6, 1.1.3 and
// later.
#pragma once

#include <string_view>

#include "podman/core/result.h"
#include "podman/firewall/ruleset.h"

namespace podshark::firewall {

/// All tables of all families. Rules of iptables-nft come as {"xt": …} without their arguments: their matches
/// and targets are unknown until merge() puts those of iptables-save in their place. Refuses what is larger
/// than limits.bytes or no nft listing; whatever else is odd makes a single match or statement unknown, or a
/// note.
[[nodiscard]] Result<Ruleset> parse_nft_json(std::string_view text, const Limits& limits = {});

}  // namespace podshark::firewall
