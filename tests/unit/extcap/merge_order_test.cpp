// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/merge_order.h"

#include <gmock/gmock.h>

namespace podshark::extcap::remote {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kNow = 1'700'000'000'000 * kMs;
constexpr std::uint64_t kNever = ~std::uint64_t{0};

class Two : public testing::Test {
 protected:
  void begin() {
    order_.begun(0);
    order_.begun(1);
  }
  MergeOrder order_{2, kNow + 5000 * kMs};
};

TEST_F(Two, wait_for_each_other_at_the_start) {
  order_.begun(0);
  order_.packet(0, kNow, kNow);
  EXPECT_EQ(0U, order_.until(kNow));
  EXPECT_EQ(0U, order_.until(kNow + 4999 * kMs));
  EXPECT_EQ(kNow + 5000 * kMs - MergeOrder::kWindow, order_.until(kNow + 5000 * kMs)) << "but not for ever";
}

TEST_F(Two, that_are_busy_are_as_quick_as_the_slower_one) {
  begin();
  order_.packet(0, kNow - 3 * kMs, kNow);
  order_.packet(1, kNow - 8 * kMs, kNow);
  EXPECT_EQ(kNow - 8 * kMs, order_.until(kNow));
}

TEST_F(Two, do_not_wait_long_for_a_silent_one) {
  begin();
  order_.packet(0, kNow, kNow);
  EXPECT_EQ(kNow - MergeOrder::kWindow, order_.until(kNow));
  EXPECT_EQ(kNow, order_.until(kNow + MergeOrder::kWindow));
}

TEST_F(Two, never_go_back) {
  begin();
  EXPECT_EQ(kNow - MergeOrder::kWindow, order_.until(kNow));
  EXPECT_EQ(kNow - MergeOrder::kWindow, order_.until(kNow - 1000 * kMs)) << "our clock was set back";
}

TEST_F(Two, wait_longer_once_something_was_late) {
  begin();
  (void)order_.until(kNow);
  order_.packet(1, kNow - 150 * kMs, kNow + 100 * kMs);
  EXPECT_EQ(0U, order_.late()) << "just in time";
  order_.packet(1, kNow - 300 * kMs, kNow + 100 * kMs);
  EXPECT_EQ(1U, order_.late());
  EXPECT_EQ(kNow + 500 * kMs, order_.until(kNow + 1000 * kMs))
      << "a silent one is waited for by a quarter longer";
  order_.packet(1, kNow - 60'000 * kMs, kNow);
  EXPECT_EQ(2U, order_.late());
  EXPECT_EQ(kNow + 1000 * kMs, order_.until(kNow + 1000 * kMs + MergeOrder::kWidest)) << "within reason";
}

TEST_F(Two, do_not_wait_for_one_that_has_ended) {
  begin();
  order_.packet(0, kNow, kNow);
  order_.ended(1);
  EXPECT_EQ(kNow, order_.until(kNow + kMs));
  order_.ended(0);
  EXPECT_EQ(kNever, order_.until(kNow + kMs));
}

TEST_F(Two, take_one_that_comes_after_the_start) {
  order_.begun(0);
  order_.packet(0, kNow + 6000 * kMs, kNow + 6000 * kMs);
  EXPECT_EQ(kNow + 5850 * kMs, order_.until(kNow + 6000 * kMs));
  order_.begun(1);
  order_.packet(1, kNow + 5900 * kMs, kNow + 6010 * kMs);
  EXPECT_EQ(0U, order_.late());
  EXPECT_EQ(kNow + 5900 * kMs, order_.until(kNow + 6010 * kMs));
}

}  // namespace
}  // namespace podshark::extcap::remote
