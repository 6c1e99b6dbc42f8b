// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "extcap/agent/arguments.h"
#include "extcap/agent/exit_codes.h"

namespace podshark::agent {

/// Captures until SIGTERM, SIGINT or SIGHUP, the end of stdin or of all targets, or until nobody reads
/// stdout. What fails is said on stderr, one line each.
[[nodiscard]] ExitCode run_capture(const CaptureArguments& arguments);

}  // namespace podshark::agent
