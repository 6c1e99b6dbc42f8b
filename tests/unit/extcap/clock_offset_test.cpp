// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/clock_offset.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <random>

namespace podshark::extcap::remote {
namespace {

constexpr std::int64_t kStart = 1'700'000'000'000'000'000;
constexpr std::int64_t kMs = 1'000'000;

// Ping-pongs over a way of so much there and back, each up to `jitter` longer; the first one starts the
// program.
std::vector<ClockSample> samples(std::int64_t offset, std::int64_t out, std::int64_t back,
                                 std::int64_t jitter, int count = 40) {
  std::mt19937 random(7);
  std::vector<ClockSample> all;
  std::int64_t now = kStart;
  for (int i = 0; i < count; ++i) {
    const auto late = [&] {
      return jitter == 0 ? 0 : static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(jitter));
    };
    const std::int64_t arrives = now + out + late() + (i == 0 ? 250 * kMs : 0);
    const std::int64_t answered = arrives + back + late();
    all.push_back({now, arrives + offset, answered});
    now = answered + kMs;
  }
  return all;
}

TEST(ClockOffset, is_found_within_its_bound) {
  for (const std::int64_t offset : {250 * kMs, -120 * kMs, std::int64_t{0}, 86'400'000 * kMs}) {
    const auto found = clock_offset(samples(offset, 20 * kMs, 20 * kMs, 5 * kMs));
    ASSERT_TRUE(found);
    EXPECT_LE(std::abs(found->offset_ns - offset), 2 * kMs) << offset;
    EXPECT_GE(found->bound_ns, 20 * kMs);
    EXPECT_LE(found->bound_ns, 25 * kMs);
    EXPECT_EQ(offset != 0, ClockCorrection().take(*found, /* there_ns= */ 0)) << offset;
  }
}

TEST(ClockOffset, of_a_way_that_is_longer_in_one_direction_is_wrong_by_less_than_its_bound) {
  const auto found = clock_offset(samples(0, 5 * kMs, 35 * kMs, 0));
  ASSERT_TRUE(found);
  EXPECT_EQ(-15 * kMs, found->offset_ns);
  EXPECT_EQ(20 * kMs, found->bound_ns);
  EXPECT_FALSE(ClockCorrection().take(*found, /* there_ns= */ 0)) << "nothing is corrected";
}

TEST(ClockOffset, forgets_the_first_and_slow_ones) {
  auto all = samples(10 * kMs, kMs, kMs, 0, 9);
  for (std::size_t i = 3; i < all.size(); ++i) all[i].there += 400 * kMs, all[i].received += 800 * kMs;
  all[5].received = all[5].sent - kMs;  // our clock was set back
  const auto found = clock_offset(all);
  ASSERT_TRUE(found);
  EXPECT_EQ(10 * kMs, found->offset_ns);
  EXPECT_EQ(kMs, found->bound_ns);
}

TEST(ClockOffset, needs_two) {
  EXPECT_FALSE(clock_offset({}));
  EXPECT_FALSE(clock_offset({{1, 2, 3}}));
  EXPECT_FALSE(clock_offset({{1, 2, 3}, {5, 2, 5}}));
  EXPECT_TRUE(clock_offset({{1, 2, 3}, {5, 2, 9}}));
}

TEST(ClockCorrection, takes_the_first_at_once_and_none_that_agrees) {
  ClockCorrection agreeing;
  EXPECT_FALSE(agreeing.take({kMs, 2 * kMs}, kStart));
  EXPECT_EQ(kStart, agreeing.corrected(kStart));
  ClockCorrection ahead;
  EXPECT_TRUE(ahead.take({250 * kMs, 2 * kMs}, kStart));
  EXPECT_EQ(kStart - 250 * kMs, ahead.corrected(kStart));
  EXPECT_EQ(kStart - 260 * kMs, ahead.corrected(kStart - 10 * kMs)) << "also what was captured before";
  EXPECT_FALSE(ahead.take({251 * kMs, 2 * kMs}, kStart));
}

TEST(ClockCorrection, follows_a_drift_without_haste) {
  ClockCorrection c;
  (void)c.take({100 * kMs, kMs}, kStart);
  EXPECT_TRUE(c.take({102 * kMs, kMs}, kStart));
  EXPECT_EQ(102 * kMs, c.target());
  EXPECT_EQ(100 * kMs, c.applied(kStart));
  EXPECT_EQ(100 * kMs + 500'000, c.applied(kStart + 1000 * kMs)) << "500 µs a second";
  EXPECT_EQ(102 * kMs, c.applied(kStart + 5000 * kMs));
  EXPECT_EQ(100 * kMs, c.applied(kStart - 1)) << "and each time stays what it was turned into";
}

TEST(ClockCorrection, keeps_the_order_whatever_comes) {
  ClockCorrection c;
  (void)c.take({100 * kMs, kMs}, kStart);
  std::mt19937 random(11);
  std::int64_t there = kStart;
  std::int64_t before = c.corrected(there);
  for (int i = 0; i < 20'000; ++i) {
    there += 1 + static_cast<std::int64_t>(random() % 3'000'000U);
    if (i % 500 == 0) {
      const auto step = static_cast<std::int64_t>(random() % 2'000'000'000U) - 1'000'000'000;
      (void)c.take({step, kMs}, there - 50 * kMs);
    }
    const std::int64_t now = c.corrected(there);
    ASSERT_GE(now, before) << i;
    before = now;
  }
}

}  // namespace
}  // namespace podshark::extcap::remote
