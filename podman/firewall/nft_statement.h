// SPDX-License-Identifier: GPL-2.0-or-later
// nft's statements in our vocabulary. Private to podman/firewall.
#pragma once

#include "podman/firewall/nft_match.h"

namespace podshark::firewall {

/// Fills matches, statements and counters of `rule` from the list "expr".
void parse_statements(const json& expressions, const NftPlace& place, Rule& rule);

}  // namespace podshark::firewall
