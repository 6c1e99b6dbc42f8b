// SPDX-License-Identifier: GPL-2.0-or-later
// nft's match statements in our vocabulary. Private to podman/firewall.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "podman/firewall/nft_values.h"

namespace podshark::firewall {

/// Where a rule stands; sets belong to the table.
struct NftPlace {
  std::string family;
  std::string table;
  NamedSets& sets;
};

/// The property that an expression reads; nothing when it is none of ours.
[[nodiscard]] std::optional<Key> parse_key(const json& expression);

/// Appends the match and what it implies; an unknown one when it is not understood.
void parse_match(const json& match, const NftPlace& place, std::vector<Match>& out);

}  // namespace podshark::firewall
