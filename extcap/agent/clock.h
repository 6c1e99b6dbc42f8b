// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

#include "extcap/agent/exit_codes.h"

namespace podshark::agent {

/// For each byte of stdin a line "SECONDS.NANOSECONDS SECONDS.NANOSECONDS" on stdout: CLOCK_REALTIME when it
/// was read, and when it was answered. Ends with stdin, or after `limit_seconds` (0: no limit) without a
/// byte.
[[nodiscard]] ExitCode run_clock(std::uint32_t limit_seconds);

}  // namespace podshark::agent
