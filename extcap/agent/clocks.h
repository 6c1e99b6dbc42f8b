// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <time.h>

#include <cstdint>

namespace podshark::agent {

inline std::uint64_t nanoseconds(const timespec& t) {
  return static_cast<std::uint64_t>(t.tv_sec) * 1000000000U + static_cast<std::uint64_t>(t.tv_nsec);
}
/// Like the stamps of packets.
inline std::uint64_t wall_ns() {
  timespec now;
  (void)clock_gettime(CLOCK_REALTIME, &now);
  return nanoseconds(now);
}
/// For time limits.
inline std::uint64_t steady_ms() {
  timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return nanoseconds(now) / 1000000U;
}

}  // namespace podshark::agent
