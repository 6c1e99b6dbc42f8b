// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/byte_queue.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace podshark::extcap {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20U;
constexpr std::size_t kSpare = 2;

}  // namespace

ByteQueue::Chunk ByteQueue::new_chunk() {
  if (!spare_.empty()) {
    Chunk chunk = std::move(spare_.back());
    spare_.pop_back();
    return chunk;
  }
  Chunk chunk(static_cast<std::uint8_t*>(std::aligned_alloc(kHugePage, kChunk)));
  if (chunk) (void)::madvise(chunk.get(), kChunk, MADV_HUGEPAGE);  // where there are none: small ones
  return chunk;
}

bool ByteQueue::append(const std::uint8_t* data, std::size_t size) {
  const std::size_t end = begin_ + size_;
  const std::size_t have = chunks_.size();
  while (end + size > chunks_.size() * kChunk) {
    Chunk chunk = new_chunk();
    if (!chunk) {
      chunks_.resize(have);
      return false;
    }
    chunks_.push_back(std::move(chunk));
  }
  for (std::size_t at = end; size > 0;) {
    const std::size_t n = std::min(size, kChunk - at % kChunk);
    std::memcpy(chunks_[at / kChunk].get() + at % kChunk, data, n);
    at += n;
    data += n;
    size -= n;
    size_ += n;
  }
  return true;
}

std::span<const std::uint8_t> ByteQueue::front() const {
  if (size_ == 0) return {};
  return {chunks_.front().get() + begin_, std::min(size_, kChunk - begin_)};
}

void ByteQueue::pop(std::size_t size) {
  begin_ += size;
  size_ -= size;
  if (begin_ < kChunk && size_ > 0) return;
  Chunk done = std::move(chunks_.front());
  chunks_.pop_front();
  begin_ = 0;
  if (spare_.size() < kSpare) spare_.push_back(std::move(done));
}

}  // namespace podshark::extcap
