// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "podman/diagnose/facts.h"

namespace podshark::extcap::check {

/// Asks each server, from the host, for the name servers of the root (RFC 1035 §4): any well-formed answer is
/// one, a refusal too, since then somebody is there. All at once; takes at most `limit`.
[[nodiscard]] std::vector<diagnose::ResolverTrial> try_resolvers(const std::vector<std::string>& servers,
                                                                 std::chrono::milliseconds limit);

}  // namespace podshark::extcap::check
