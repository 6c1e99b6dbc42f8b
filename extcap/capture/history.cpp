// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/history.h"

#include <array>
#include <cstring>
#include <utility>

namespace podshark::extcap {
namespace {

// Dropped as a whole: small enough to keep close to the wanted length, large enough to be few.
constexpr std::size_t kChunk = std::size_t{1} << 20U;
constexpr std::int64_t kChunkNs = 1'000'000'000;

}  // namespace

History::~History() {
  for (Chunk& c : chunks_) wire::free_bytes(&c.bytes);
}

void History::drop_oldest() {
  held_ -= chunks_.front().bytes.size;
  wire::free_bytes(&chunks_.front().bytes);
  chunks_.pop_front();
}

void History::make_room() {
  cut_ns_ = chunks_.front().last_ns;
  drop_oldest();
}

bool History::take(wire::Bytes* bytes, std::int64_t now_ns) {
  const std::int64_t oldest = now_ns - length_.count() * 1'000'000'000;
  while (!chunks_.empty() && chunks_.front().last_ns < oldest) drop_oldest();
  if (bytes->size == 0) return true;
  const bool fresh = chunks_.empty() || chunks_.back().bytes.size + bytes->size > kChunk ||
                     now_ns - chunks_.back().last_ns > kChunkNs;
  if (fresh) chunks_.emplace_back();
  Chunk& chunk = chunks_.back();
  chunk.last_ns = now_ns;
  if (chunk.bytes.size == 0 && bytes->size >= kChunk) {
    std::swap(chunk.bytes, *bytes);
    held_ += chunk.bytes.size;
  } else {
    while (!wire::reserve(&chunk.bytes, bytes->size)) {
      if (chunks_.size() == 1) return false;
      make_room();
    }
    std::memcpy(chunk.bytes.data + chunk.bytes.size, bytes->data, bytes->size);
    chunk.bytes.size += bytes->size;
    held_ += bytes->size;
  }
  bytes->size = 0;
  while (held_ > most_ && chunks_.size() > 1) make_room();
  return true;
}

std::optional<std::chrono::seconds> History::cut_short(std::int64_t now_ns) const {
  if (!cut_ns_) return std::nullopt;
  const std::chrono::seconds kept((now_ns - *cut_ns_) / 1'000'000'000);
  return kept < length_ ? std::optional(kept) : std::nullopt;
}

// Enhanced packet and interface statistics blocks, of which others do not come here, have their time at the
// same place: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html#section-4.3
std::optional<std::int64_t> History::oldest_ns() const {
  std::array<std::uint32_t, 5> head{};  // type, length, interface, time: high, low
  if (chunks_.empty() || chunks_.front().bytes.size < sizeof(head)) return std::nullopt;
  std::memcpy(head.data(), chunks_.front().bytes.data, sizeof(head));
  return static_cast<std::int64_t>(std::uint64_t{head[3]} << 32U | head[4]);
}

Status History::save(Output& output) const {
  for (const Chunk& c : chunks_) {
    wire::Bytes view = c.bytes;  // of which write() takes the size, not the memory
    if (Status s = output.write(&view); !s) return s;
  }
  return ok();
}

}  // namespace podshark::extcap
