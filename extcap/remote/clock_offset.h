// SPDX-License-Identifier: GPL-2.0-or-later
// How far another machine's clock is from ours, and what is done about it. All times are CLOCK_REALTIME in
// nanoseconds. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace podshark::extcap::remote {

/// A question and its answer: when it left here, what the clock there said, when the answer was here.
struct ClockSample {
  std::int64_t sent = 0;
  std::int64_t there = 0;
  std::int64_t received = 0;
};

struct ClockOffset {
  std::int64_t offset_ns = 0;  ///< that clock minus ours
  std::int64_t bound_ns = 0;   ///< the way there and back can not be told apart: half of both
};

/// From the samples in the order in which they were taken. The first is left out, since it has the start of
/// what answers in it; of the quickest eighth of the others the median counts. Nothing from fewer than two,
/// or when all took no time at all (our clock was set).
[[nodiscard]] std::optional<ClockOffset> clock_offset(const std::vector<ClockSample>& samples);

/// Turns that clock's times into ours. What is applied changes slowly, so that two packets never change their
/// order, and each time is always turned into the same one.
class ClockCorrection {
 public:
  /// An estimate; `there_ns` is what that clock shows now. True: it changes what is applied from now on. An
  /// estimate that agrees with what is applied changes nothing, and the first one nothing when it agrees with
  /// no correction. The first one counts at once and for all times, unless some have been turned already.
  bool take(const ClockOffset& estimate, std::int64_t there_ns);
  /// Times of that clock, in any order. What can be no time of ours becomes the nearest that can.
  [[nodiscard]] std::int64_t corrected(std::int64_t there_ns);
  /// What is subtracted at that time.
  [[nodiscard]] std::int64_t applied(std::int64_t there_ns) const;
  /// What it comes to be, or is.
  [[nodiscard]] std::int64_t target() const { return turns_.empty() ? 0 : turns_.back().target; }

 private:
  struct Turn {
    std::int64_t from = 0;   // that clock's time
    std::int64_t begin = 0;  // applied then
    std::int64_t target = 0;
  };
  [[nodiscard]] static std::int64_t applied(const Turn& turn, std::int64_t there_ns);

  std::vector<Turn> turns_;  // by `from`
  std::int64_t newest_ = 0;  // of the times that were corrected
  bool begun_ = false;
};

}  // namespace podshark::extcap::remote
