// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <functional>

namespace podshark {

/// Calls work(0) … work(count - 1), at most `most` of them at a time, each once, in the caller's thread and
/// up to `most` - 1 others; returns when all have. `work` runs in several threads at once and must not throw.
void in_parallel(std::size_t count, std::size_t most, const std::function<void(std::size_t)>& work);

}  // namespace podshark
