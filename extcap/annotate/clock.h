// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

namespace podshark::extcap {

/// How an interface counts time: if_tsresol and if_tsoffset. Pure.
struct TickClock {
  bool binary = false;        ///< units are powers of two of a second, not of ten
  std::uint8_t exponent = 6;  ///< negative: 6 are microseconds
  std::int64_t offset_s = 0;

  /// The option's byte; false when Wireshark could not count so either.
  [[nodiscard]] bool set_resolution(std::uint8_t value);
  /// Since 1970, cut to what fits.
  [[nodiscard]] std::uint64_t nanoseconds(std::uint64_t ticks) const;
};

}  // namespace podshark::extcap
