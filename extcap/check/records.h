// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "podman/annotate/codec.h"
#include "podman/diagnose/facts.h"
#include "podman/diagnose/finding.h"

namespace podshark::extcap::check {

/// One record for each container of each finding that is no note (at most kMaxRecords), then one that sums
/// up. All bear `id`.
[[nodiscard]] std::vector<annotate::Event> records(const std::string& asked,
                                                   const diagnose::Findings& findings, const std::string& id,
                                                   std::int64_t now_ns);
inline constexpr std::size_t kMaxRecords = 50;

}  // namespace podshark::extcap::check
