// SPDX-License-Identifier: GPL-2.0-or-later
// The answers of several tools about one network namespace as one ruleset.
#pragma once

#include "podman/firewall/ruleset.h"

namespace podshark::firewall {

/// nft lists the tables of iptables-nft too, but not what their rules do. Chains of such tables (ip and ip6:
/// raw, mangle, nat, filter, security) get the rules of iptables-save, and keep nft's hook, priority, policy
/// and, where both count the same rules, its handles. Chains that only one side knows stay. Legacy tables are
/// added: the kernel walks them beside those of nft. Every argument but `nft` may be empty.
[[nodiscard]] Ruleset merge(Ruleset nft, Ruleset iptables4, Ruleset iptables6, Ruleset legacy4,
                            Ruleset legacy6);

}  // namespace podshark::firewall
