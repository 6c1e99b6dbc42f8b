// SPDX-License-Identifier: GPL-2.0-or-later
// iptables-save, ip6tables-save and their legacy twins → Ruleset. The text is tokenised as a shell would;
// nothing of libxtables is needed, so every extension is readable, and those we do not know are kept as
// unknown matches.
#pragma once

#include <string_view>

#include "podman/core/result.h"
#include "podman/firewall/ruleset.h"

namespace podshark::firewall {

/// `family` is ip or ip6, `maker` iptables or iptables_legacy. With or without counters (-c). Chains of the
/// well-known names get the hook and priority that iptables gives them (include/uapi/linux/netfilter_ipv4.h).
/// Refuses what is larger than limits.bytes; lines of another shape become notes. An empty text is an empty
/// ruleset.
[[nodiscard]] Result<Ruleset> parse_iptables_save(std::string_view text, Family family, Maker maker,
                                                  const Limits& limits = {});

}  // namespace podshark::firewall
