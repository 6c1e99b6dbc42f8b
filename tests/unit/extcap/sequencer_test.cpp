// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/sequencer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <algorithm>

#include <cstring>
#include <utility>

namespace podshark::extcap {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SequencerTest : public testing::Test {
 protected:
  ~SequencerTest() override { wire::free_bytes(&out); }
  void put(std::uint32_t id, std::uint64_t time_ns) {
    const std::uint8_t byte = 7;
    ASSERT_TRUE(wire::put_packet(sequencer.lane(id, time_ns), id, time_ns, &byte, 1, 1));
  }
  /// Interface and time of what was released since the last call.
  std::vector<std::pair<unsigned, std::uint64_t>> released(std::uint64_t until, std::uint64_t now = 0) {
    out.size = 0;
    sequencer.release(until, std::max(until, now), &out);
    std::vector<std::pair<unsigned, std::uint64_t>> got;
    for (std::size_t at = 0; at < out.size;) {
      std::uint32_t words[5];
      std::memcpy(words, out.data + at, sizeof(words));
      got.emplace_back(words[2], std::uint64_t{words[3]} << 32U | words[4]);
      at += words[1];
    }
    return got;
  }
  Sequencer sequencer;
  wire::Bytes out;
};

TEST_F(SequencerTest, lanes_are_merged_by_time) {
  for (const std::uint64_t t : {10U, 20U, 30U}) put(1, t);
  for (const std::uint64_t t : {5U, 25U, 26U}) put(2, t);
  EXPECT_FALSE(sequencer.empty());
  EXPECT_THAT(released(100), ElementsAre(std::pair{2U, 5U}, std::pair{1U, 10U}, std::pair{1U, 20U},
                                         std::pair{2U, 25U}, std::pair{2U, 26U}, std::pair{1U, 30U}));
  EXPECT_TRUE(sequencer.empty());
}

TEST_F(SequencerTest, later_packets_wait) {
  put(1, 10);
  put(1, 30);
  put(2, 20);
  EXPECT_THAT(released(20), ElementsAre(std::pair{1U, 10U}, std::pair{2U, 20U}));
  put(2, 25);
  EXPECT_THAT(released(24), IsEmpty());
  EXPECT_THAT(released(30), ElementsAre(std::pair{2U, 25U}, std::pair{1U, 30U}));
}

TEST_F(SequencerTest, memory_of_an_interface_that_is_gone_is_given_back) {
  for (std::uint64_t t = 1; t <= 1000; ++t) put(1, t);
  put(2, 1);
  EXPECT_GT(sequencer.room(), 36'000U);
  (void)released(1000);
  const std::size_t busy = sequencer.room();
  for (std::uint64_t t = 1001; t < 1001 + Sequencer::kUnused; ++t) {
    EXPECT_EQ(sequencer.room(), busy);
    put(2, t);
    EXPECT_THAT(released(t), ElementsAre(std::pair{2U, t}));
  }
  EXPECT_LT(sequencer.room(), 5000U) << "only that of the other one";
  put(1, 5000);
  EXPECT_FALSE(sequencer.empty());
  EXPECT_THAT(released(5000), ElementsAre(std::pair{1U, 5000U}));
}

TEST_F(SequencerTest, what_is_held_is_counted) {
  put(1, 10);
  const std::size_t one = sequencer.bytes();
  EXPECT_GT(one, 0U);
  put(2, 20);
  put(2, 30);
  EXPECT_EQ(sequencer.bytes(), 3 * one);
  (void)released(20);
  EXPECT_EQ(sequencer.bytes(), one);
}

TEST_F(SequencerTest, a_lane_that_is_a_little_out_of_order_is_put_in_order) {
  for (const std::uint64_t t : {10U, 30U, 20U, 25U}) put(1, t);
  put(2, 22);
  EXPECT_THAT(released(21), ElementsAre(std::pair{1U, 10U}, std::pair{1U, 20U}));
  put(1, 24);
  EXPECT_THAT(released(100),
              ElementsAre(std::pair{2U, 22U}, std::pair{1U, 24U}, std::pair{1U, 25U}, std::pair{1U, 30U}));
  put(1, 5);  // what is released is not taken back
  EXPECT_THAT(released(100), ElementsAre(std::pair{1U, 5U}));
}

TEST_F(SequencerTest, a_clock_set_back_holds_nothing_up) {
  put(1, 3'600'000'000'000);
  EXPECT_EQ(released(1'000'000'000).size(), 1U);
}

TEST_F(SequencerTest, a_lane_long_idle_does_not_look_like_a_clock_set_back) {
  put(1, 5'000'000'000);
  EXPECT_THAT(released(1'000'000'000, 5'000'000'001), IsEmpty());
}

TEST_F(SequencerTest, a_lane_that_never_empties_does_not_grow) {
  std::size_t most = 0;
  for (std::uint64_t t = 0; t < 100000; ++t) {
    put(1, t);
    (void)released(t > 10 ? t - 10 : 0);
    most = std::max(most, sequencer.lane(1, t)->size);
  }
  EXPECT_LT(most, 4096U);
}

TEST_F(SequencerTest, many_lanes) {
  constexpr std::uint64_t kLanes = 300;
  for (std::uint32_t id = 0; id < kLanes; ++id) {
    for (std::uint64_t i = 0; i < 10; ++i) put(id, i * kLanes + (id * 7) % kLanes);
  }
  const auto got = released(~std::uint64_t{0});
  ASSERT_EQ(got.size(), kLanes * 10);
  for (std::size_t i = 1; i < got.size(); ++i) EXPECT_LE(got[i - 1].second, got[i].second);
}

}  // namespace
}  // namespace podshark::extcap
