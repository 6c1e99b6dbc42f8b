// SPDX-License-Identifier: GPL-2.0-or-later
// nft's JSON as the line that nft itself would write, for people. Private to podman/firewall.
#pragma once

#include <string>

#include "podman/firewall/nft_json.h"

namespace podshark::firewall {

/// `ip saddr 10.0.0.0/8`; at most kMaxRuleText bytes, sets shortened. One clean line.
[[nodiscard]] std::string expression_text(const json& expression);
/// What is inside {"match": …}.
[[nodiscard]] std::string match_text(const json& match);
/// `ip saddr != 10.0.0.0/8`, `counter packets 1 bytes 60`, `jump X`.
[[nodiscard]] std::string statement_text(const json& statement);
/// The whole rule, its comment at the end.
[[nodiscard]] std::string rule_text(const json& expressions, const std::string& comment);

}  // namespace podshark::firewall
