// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/byte_queue.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <vector>

namespace podshark::extcap {
namespace {

std::vector<std::uint8_t> numbered(std::size_t size, std::uint8_t first) {
  std::vector<std::uint8_t> out(size);
  std::iota(out.begin(), out.end(), first);
  return out;
}

TEST(ByteQueue, an_empty_one_has_no_front) {
  const ByteQueue queue;
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_TRUE(queue.front().empty());
}

TEST(ByteQueue, what_goes_in_comes_out_in_order_across_chunks) {
  ByteQueue queue;
  std::vector<std::uint8_t> in;
  std::vector<std::uint8_t> out;
  // Uneven sizes, so that the borders of chunks lie inside of pieces.
  for (std::uint8_t i = 0; i < 30; ++i) {
    const auto piece = numbered(700'001 + i, i);
    in.insert(in.end(), piece.begin(), piece.end());
    ASSERT_TRUE(queue.append(piece.data(), piece.size()));
    ASSERT_EQ(queue.size() + out.size(), in.size());
    const auto oldest = queue.front();
    const std::size_t taken = oldest.size() / 3;
    out.insert(out.end(), oldest.begin(), oldest.begin() + static_cast<std::ptrdiff_t>(taken));
    queue.pop(taken);
  }
  while (queue.size() > 0) {
    const auto oldest = queue.front();
    ASSERT_FALSE(oldest.empty());
    out.insert(out.end(), oldest.begin(), oldest.end());
    queue.pop(oldest.size());
  }
  EXPECT_EQ(in, out);
  EXPECT_TRUE(queue.front().empty());
}

TEST(ByteQueue, filled_to_a_chunk_and_emptied_it_serves_again) {
  ByteQueue queue;
  const auto piece = numbered(ByteQueue::kChunk, 7);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(queue.append(piece.data(), piece.size()));
    ASSERT_EQ(queue.front().size(), ByteQueue::kChunk);
    queue.pop(ByteQueue::kChunk);
    ASSERT_EQ(queue.size(), 0U);
  }
}

}  // namespace
}  // namespace podshark::extcap
