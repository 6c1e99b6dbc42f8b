// SPDX-License-Identifier: GPL-2.0-or-later
// Halves of conclude() that more than one protocol uses, and those of ICMP, DNS and path MTU. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "podman/probe/conclude.h"

namespace podshark::probe {

/// ICMP, DNS, path MTU.
void conclude_other(const Evidence& evidence, Conclusion& out);

/// An errno that is neither a refusal nor a timeout.
void conclude_failure(const Evidence& evidence, Conclusion& out);

/// "80, 443 and 3 more".
[[nodiscard]] std::string port_list(const std::vector<std::uint16_t>& ports);

/// "3 s", "0.5 s".
[[nodiscard]] std::string seconds_text(milliseconds time);

}  // namespace podshark::probe
