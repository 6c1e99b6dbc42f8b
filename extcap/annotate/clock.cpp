// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/annotate/clock.h"

#include <limits>

namespace podshark::extcap {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

std::uint64_t power_of_ten(unsigned exponent) {
  std::uint64_t out = 1;
  while (exponent-- > 0) out *= 10;
  return out;
}

}  // namespace

bool TickClock::set_resolution(std::uint8_t value) {
  binary = (value & 0x80U) != 0;
  exponent = value & 0x7FU;
  return exponent <= (binary ? 63 : 19);  // 64 bits hold no more
}

std::uint64_t TickClock::nanoseconds(std::uint64_t ticks) const {
  const std::uint64_t units = binary ? std::uint64_t{1} << exponent : power_of_ten(exponent);
  // At most 2^64 * 10^9 and 2^63 * 10^9: 128 bits hold both and their sum.
  __extension__ using Wide = __int128;
  const Wide ns = static_cast<Wide>(ticks / units) * kSecond +
                  static_cast<Wide>(ticks % units) * kSecond / units + static_cast<Wide>(offset_s) * kSecond;
  constexpr auto kMost = static_cast<Wide>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::uint64_t>(ns < 0 ? 0 : ns > kMost ? kMost : ns);
}

}  // namespace podshark::extcap
