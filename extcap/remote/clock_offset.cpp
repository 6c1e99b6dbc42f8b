// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/clock_offset.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

namespace podshark::extcap::remote {
namespace {

constexpr std::size_t kMostTurns = 256;
constexpr std::int64_t kDriftPart = 2000;  // 500 ppm: more than clocks drift
constexpr std::int64_t kStepPart = 4;      // that clock was set, while we looked away
constexpr std::int64_t kStep = 10'000'000;

std::int64_t trip(const ClockSample& s) {
  return s.received - s.sent;
}
std::int64_t offset(const ClockSample& s) {
  return s.there - s.sent - trip(s) / 2;
}

}  // namespace

std::optional<ClockOffset> clock_offset(const std::vector<ClockSample>& samples) {
  if (samples.size() < 2) return std::nullopt;
  std::vector<ClockSample> best;
  std::copy_if(samples.begin() + 1, samples.end(), std::back_inserter(best),
               [](const ClockSample& s) { return trip(s) > 0; });
  if (best.empty()) return std::nullopt;
  std::stable_sort(best.begin(), best.end(), [](const auto& a, const auto& b) { return trip(a) < trip(b); });
  best.resize((best.size() + 7) / 8);
  std::sort(best.begin(), best.end(), [](const auto& a, const auto& b) { return offset(a) < offset(b); });
  const ClockSample& middle = best[best.size() / 2];
  return ClockOffset{offset(middle), trip(middle) / 2};
}

bool ClockCorrection::take(const ClockOffset& estimate, std::int64_t there_ns) {
  const bool first = !std::exchange(begun_, true);
  const std::int64_t difference = estimate.offset_ns - target();
  if (std::abs(difference) <= estimate.bound_ns) return false;
  if (first && newest_ == 0) {
    turns_ = {{INT64_MIN, estimate.offset_ns, estimate.offset_ns}};
    return true;
  }
  // Not before a time that has been corrected already.
  const std::int64_t from = std::max(there_ns, newest_);
  turns_.push_back({from, applied(from), estimate.offset_ns});
  if (turns_.size() > kMostTurns) turns_.erase(turns_.begin());
  return true;
}

std::int64_t ClockCorrection::applied(const Turn& turn, std::int64_t there_ns) {
  const std::int64_t way = turn.target - turn.begin;
  if (way == 0) return turn.target;
  const std::int64_t passed = there_ns - turn.from;
  const std::int64_t most = passed / (std::abs(way) > kStep ? kStepPart : kDriftPart);
  return std::abs(way) <= most ? turn.target : turn.begin + (way > 0 ? most : -most);
}

std::int64_t ClockCorrection::applied(std::int64_t there_ns) const {
  const auto after = std::upper_bound(turns_.begin(), turns_.end(), there_ns,
                                      [](std::int64_t t, const Turn& turn) { return t < turn.from; });
  if (after != turns_.begin()) return applied(*std::prev(after), there_ns);
  return turns_.empty() ? 0 : turns_.front().begin;
}

std::int64_t ClockCorrection::corrected(std::int64_t there_ns) {
  newest_ = std::max(newest_, there_ns);
  const std::int64_t subtracted = applied(there_ns);
  std::int64_t out = 0;
  if (__builtin_sub_overflow(there_ns, subtracted, &out)) return subtracted < 0 ? INT64_MAX : 0;
  return std::max<std::int64_t>(out, 0);
}

}  // namespace podshark::extcap::remote
