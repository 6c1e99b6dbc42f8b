// SPDX-License-Identifier: GPL-2.0-or-later
// The table of checks: one per entry of docs/CHECKS.md, one file each in checks/.
#pragma once

#include <span>

#include "podman/diagnose/facts.h"
#include "podman/diagnose/finding.h"

namespace podshark::diagnose {

struct Check {
  const char* id;       ///< stable, dotted: part of the command line and of --json
  const char* title;    ///< what goes wrong, for people
  const char* explain;  ///< symptom, cause and how to prove it, for `podshark check --explain ID`
  void (*judge)(const Facts& facts, Findings& out);
};

/// All checks in the order of judgement: cheap and certain ones first, causes before what follows from them.
[[nodiscard]] std::span<const Check> all_checks();

/// Runs every check, hangs consequences under their cause and sorts the rest: errors first, then what is more
/// certain, then in the order of the table.
[[nodiscard]] Findings judge(const Facts& facts);

[[nodiscard]] bool anything_wrong(const Findings& findings);  ///< one of warning or error

}  // namespace podshark::diagnose
