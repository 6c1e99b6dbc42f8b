// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

#include "extcap/agent/exit_codes.h"

namespace podshark::agent {

/// Keeps a container running in which captures are started by `kubectl exec`: until none has run in this pid
/// namespace for `seconds`, or SIGTERM, SIGINT, SIGHUP. Reaps what is left to it as process 1.
[[nodiscard]] ExitCode run_idle(std::uint32_t seconds);

/// Whether /proc/PID/cmdline of `size` bytes is that of `podshark-agent capture`, however it was started.
/// Pure.
[[nodiscard]] bool is_capture(const char* cmdline, std::uint32_t size);

}  // namespace podshark::agent
