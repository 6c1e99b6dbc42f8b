// SPDX-License-Identifier: GPL-2.0-or-later
// How sure a verdict of the rules is: of an imagined packet not everything is known that rules may ask.
#pragma once

#include <functional>
#include <vector>

#include "podman/diagnose/ways.h"

namespace podshark::diagnose {

/// It is blocked, whatever was not known of the packet.
[[nodiscard]] bool surely_blocked(const Attempt& attempt);

/// Of the attempts that are blocked and `wanted`, the first that surely is, else the first; nullptr without.
[[nodiscard]] const Attempt* surest(const std::vector<Attempt>& attempts,
                                    const std::function<bool(const Attempt&)>& wanted);

/// Makes a warning of an error, a likely reading of proof, and names the undecided rule: for a finding whose
/// only evidence is `attempt`. Does nothing where it is surely blocked.
void weigh(const Attempt& attempt, Finding& finding);

/// Containers whose ways through the rules could not be followed to the end: they belong into Facts::unseen,
/// since no check takes them for blocked.
[[nodiscard]] std::vector<Unseen> not_judged(const Facts& facts);

}  // namespace podshark::diagnose
