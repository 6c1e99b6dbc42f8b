// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "podman/core/result.h"
#include "podman/diagnose/facts.h"

namespace podshark::extcap::check {

/// Reads `--from FROM` and `TARGET[:PORT][/PROTOCOL]` (both may be empty) against what there is. FROM is
/// "host", a container or a pod; TARGET a container, "pod/NAME", an IP address (IPv6 with a port in brackets)
/// or "host" with a port that a container publishes. Names may be interface names ("podman:web") and id
/// prefixes of at least three digits. ErrorKind::not_found or usage, naming what is wrong.
[[nodiscard]] Result<diagnose::Question> read_question(const std::string& from, const std::string& target,
                                                       const model::Inventory& inventory);

}  // namespace podshark::extcap::check
