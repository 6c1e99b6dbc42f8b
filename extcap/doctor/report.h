// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <iosfwd>

#include "extcap/doctor/finding.h"

namespace podshark::extcap::doctor {

/// One line per finding, a `fix:` line where there is something to do, and a summary.
void write_text(const Findings& findings, std::ostream& out);

/// A JSON array of {topic, level, fact, fix}, one object a line.
void write_json(const Findings& findings, std::ostream& out);

[[nodiscard]] bool any_failure(const Findings& findings);

}  // namespace podshark::extcap::doctor
