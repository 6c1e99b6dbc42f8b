// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>
#include <span>
#include <vector>

namespace podshark::extcap {

/// Bytes that wait for a slow reader, first in, first out, in large chunks of huge pages: a burst of hundreds
/// of megabytes otherwise costs more in page faults than in copying.
class ByteQueue {
 public:
  static constexpr std::size_t kChunk = std::size_t{4} << 20U;

  /// All of `size` bytes, or none when there is no memory (false).
  [[nodiscard]] bool append(const std::uint8_t* data, std::size_t size);
  /// The oldest bytes, as many as lie together; empty when nothing waits. Valid until the next call.
  [[nodiscard]] std::span<const std::uint8_t> front() const;
  /// Removes `size` bytes, at most front().size().
  void pop(std::size_t size);
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(std::uint8_t* memory) const { std::free(memory); }
  };
  using Chunk = std::unique_ptr<std::uint8_t[], Free>;
  [[nodiscard]] Chunk new_chunk();

  std::deque<Chunk> chunks_;
  std::vector<Chunk> spare_;  // at most kSpare, kept for the next burst
  std::size_t begin_ = 0;     // in the first chunk
  std::size_t size_ = 0;
};

}  // namespace podshark::extcap
