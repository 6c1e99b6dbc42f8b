// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/ring_budget.h"

#include <gtest/gtest.h>

#include <vector>

namespace podshark::extcap {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20U;

class Rings {
 public:
  explicit Rings(std::size_t chosen = 0) : budget_(chosen) {}

  /// Opens what a namespace may have; bytes of each of its rings.
  std::size_t open(const RingBudget::Wish& wish) {
    last_ = budget_.rings(wish);
    const std::size_t bytes = budget_.size(wish);
    for (std::size_t i = 0; i < last_; ++i) shares_.push_back(budget_.take(bytes));
    return bytes;
  }
  /// So many containers, known before the first is captured, with two links each: the least.
  std::size_t open_all(std::size_t containers) {
    std::size_t least = SIZE_MAX;
    for (std::size_t i = 0; i < containers; ++i) {
      least = std::min(least, open({.targets = containers, .coming = containers - i, .fresh = 2}));
      EXPECT_EQ(last_, 2U) << i;
    }
    return least;
  }
  void close_all() { shares_.clear(); }
  [[nodiscard]] std::size_t last() const { return last_; }
  [[nodiscard]] std::size_t used() const { return budget_.used(); }

 private:
  RingBudget budget_;
  std::size_t last_ = 0;
  std::vector<RingBudget::Share> shares_;
};

TEST(RingBudget, up_to_four_links_have_32_mib_each) {
  EXPECT_EQ(Rings().open({.coming = 1, .fresh = 2}), 32 * kMiB);
  EXPECT_EQ(Rings().open({.coming = 1, .fresh = 4}), 32 * kMiB);
  EXPECT_EQ(Rings().open_all(2), 32 * kMiB);
}

TEST(RingBudget, containers_that_are_known_at_the_start_have_about_the_same) {
  EXPECT_GE(Rings().open_all(8), 8 * kMiB - kMiB / 2);
  EXPECT_GE(Rings().open_all(20), 6 * kMiB);
  EXPECT_GE(Rings().open_all(100), kMiB);
  Rings rings;
  rings.open_all(500);
  EXPECT_LE(rings.used(), RingBudget::kTotal);
}

TEST(RingBudget, links_of_one_container_share_too) {
  for (const std::size_t links : {5U, 22U, 70U, 256U}) {
    Rings rings;
    rings.open({.coming = 1, .fresh = links});
    EXPECT_EQ(rings.last(), links);
    EXPECT_LE(rings.used(), RingBudget::kTotal);
  }
  Rings rings;
  EXPECT_GE(rings.open({.coming = 1, .fresh = 100'000}), 4 * RingBudget::kLeast);
  EXPECT_EQ(rings.last(), RingBudget::kMostLinks);
  EXPECT_LE(rings.used(), RingBudget::kTotal);
}

TEST(RingBudget, a_container_with_thousands_of_links_leaves_others_theirs) {
  Rings rings;
  rings.open({.targets = 20, .coming = 20, .fresh = 5000});
  for (std::size_t i = 1; i < 20; ++i) {
    EXPECT_GE(rings.open({.targets = 20, .coming = 20 - i, .fresh = 2}), RingBudget::kLeast) << i;
    EXPECT_EQ(rings.last(), 2U);
  }
  EXPECT_LE(rings.used(), RingBudget::kTotal);
}

TEST(RingBudget, links_that_appear_one_by_one_end_at_the_limit) {
  Rings rings;
  rings.open({.coming = 1, .fresh = 2});
  std::size_t have = 2;
  while (have < 100'000) {
    rings.open({.have = have, .fresh = 1});
    if (rings.last() == 0) break;
    ++have;
  }
  EXPECT_GT(have, 100U);
  EXPECT_LE(rings.used(), RingBudget::kTotal);
  EXPECT_GE(rings.open({.targets = 2, .fresh = 2}), RingBudget::kLeast) << "another container";
  EXPECT_EQ(rings.last(), 2U);
}

TEST(RingBudget, containers_may_join_one_by_one) {
  Rings rings;
  for (std::size_t i = 0; i < 70; ++i) {
    rings.open({.targets = i + 1, .fresh = 2});
    EXPECT_EQ(rings.last(), 2U) << i;
  }
  EXPECT_LE(rings.used(), RingBudget::kTotal);
}

TEST(RingBudget, what_ends_gives_its_memory_back) {
  Rings rings;
  rings.open({.coming = 1, .fresh = 5000});
  rings.close_all();
  EXPECT_EQ(rings.used(), 0U);
  EXPECT_EQ(rings.open({.coming = 1, .fresh = 2}), 32 * kMiB);
}

TEST(RingBudget, the_size_that_was_chosen_holds_for_the_links_that_containers_have) {
  EXPECT_EQ(Rings(512 * kMiB).open({.coming = 1, .fresh = 2}), 512 * kMiB);
  EXPECT_EQ(Rings(kMiB).open({.coming = 1, .fresh = 20}), kMiB);
  Rings rings(64 * kMiB);
  EXPECT_EQ(rings.open_all(10), 64 * kMiB);
  Rings many(64 * kMiB);
  many.open({.coming = 1, .fresh = 1000});
  EXPECT_LE(many.used(), RingBudget::kTotal);
}

TEST(RingBudget, an_interface_of_the_file_is_not_used_again) {
  Rings rings;
  rings.open({.fresh = 2, .made = RingBudget::kMostInterfaces - 1});
  EXPECT_EQ(rings.last(), 1U);
  rings.open({.fresh = 2, .made = RingBudget::kMostInterfaces + 1});
  EXPECT_EQ(rings.last(), 0U);
}

}  // namespace
}  // namespace podshark::extcap
