// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <iosfwd>

#include "podman/diagnose/check.h"

namespace podshark::extcap::check {

/// Findings with their evidence and fixes; what could not be seen; a closing line. Notes (info) come last,
/// and only their sentence unless `notes`.
void write_text(const diagnose::Facts& facts, const diagnose::Findings& findings, bool notes,
                std::ostream& out);

/// One object: {podshark, kind: "check", time, question, findings[], unseen[]}, docs/FORMAT.md.
void write_json(const diagnose::Facts& facts, const diagnose::Findings& findings, std::ostream& out);

/// Title, symptom and proof of one check.
void write_explanation(const diagnose::Check& check, std::ostream& out);

}  // namespace podshark::extcap::check
