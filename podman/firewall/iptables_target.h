// SPDX-License-Identifier: GPL-2.0-or-later
// iptables' targets in our vocabulary. Private to podman/firewall.
#pragma once

#include <string_view>
#include <vector>

#include "podman/firewall/iptables_words.h"
#include "podman/firewall/ruleset.h"

namespace podshark::firewall {

/// "10.88.0.2:80", "10.88.0.2:90-92/28171", "[fd00::2]:80", "fd00::2", ":80"; nothing for any other text.
[[nodiscard]] std::optional<NatTarget> parse_nat_target(std::string_view text);

/// What `-j name` with `options` does; `name` is no chain of the table.
[[nodiscard]] Statement parse_target(const std::string& name, const std::vector<Option>& options);

}  // namespace podshark::firewall
