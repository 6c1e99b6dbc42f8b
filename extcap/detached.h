// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>

#include "podman/core/fd.h"

namespace podshark::extcap {

/// Runs `work` in a process of its own that outlives this one, in its own session and with no descriptor of
/// ours: nobody who waits for us or our pipes waits for it. Single-threaded callers only. The descriptor
/// reports an end of file when `work` has ended or called its argument, which says so early; none when it
/// could not be started.
[[nodiscard]] UniqueFd detached(const std::function<void(const std::function<void()>& done)>& work);

}  // namespace podshark::extcap
