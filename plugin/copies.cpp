// SPDX-License-Identifier: GPL-2.0-or-later
// A packet is known by a fingerprint of its network header and what follows, without the fields that routers
// change. The same fingerprint on another interface is a copy; on an interface that has seen it already the
// sender sent it again, and a new original begins: a real retransmission is never called a copy of its first
// try.
#include "plugin/copies.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "podman/trace/content.h"

namespace podshark::plugin {
namespace {

constexpr std::size_t kMostOriginals = 65536;  // of one generation
constexpr std::size_t kPayload = 28;           // what kCompared holds behind the longest usual headers

using Bytes = std::array<std::uint8_t, Copies::kCompared>;

bool is_v4(const Bytes& b, std::size_t size) {
  return size >= 20 && b[0] >> 4U == 4;
}

bool is_v6(const Bytes& b, std::size_t size) {
  return size >= 40 && b[0] >> 4U == 6;
}

// Without the padding and trailers that a link may add.
std::size_t without_padding(const Bytes& b, std::size_t size) {
  const auto be16 = [&](std::size_t at) { return std::size_t{b[at]} << 8U | b[at + 1]; };
  const std::size_t length = is_v4(b, size) ? be16(2) : is_v6(b, size) ? be16(4) + 40 : 0;
  return length >= 20 ? std::min(length, size) : size;  // 0: larger than the field can tell
}

// Every network namespace has these, so that equal ones have nothing to do with each other.
bool loopback(const Bytes& b, std::size_t size) {
  if (is_v4(b, size)) return b[12] == 127;
  return is_v6(b, size) && b[23] == 1 &&
         std::all_of(b.begin() + 8, b.begin() + 23, [](auto x) { return x == 0; });
}

void blank_changing_fields(Bytes& b, std::size_t size) {
  if (is_v4(b, size)) b[8] = b[10] = b[11] = 0;  // time to live, header checksum
  if (is_v6(b, size)) b[7] = 0;                  // hop limit
}

std::uint64_t fingerprint(const Bytes& b, std::size_t size) {
  std::uint64_t hash = size;
  for (std::size_t at = 0; at < size; at += sizeof hash) {
    std::uint64_t word = 0;
    std::memcpy(&word, b.data() + at, sizeof word);
    hash = (hash ^ word) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 32U;
  }
  return hash;
}

}  // namespace

void Copies::clear() {
  same_ = {};
  translated_ = {};
  copies_.clear();
  newer_since_ = 0;
  several_ = false;
}

void Copies::learn(std::uint32_t frame, Place place, std::int64_t time_ns, const std::uint8_t* packet,
                   std::size_t size) {
  Bytes bytes{};
  const std::size_t captured = size;
  size = std::min(size, bytes.size());
  std::copy_n(packet, size, bytes.begin());
  if (size == 0 || loopback(bytes, size)) return;
  size = without_padding(bytes, size);
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(size), bytes.end(), std::uint8_t{0});
  blank_changing_fields(bytes, size);
  const std::uint64_t key = fingerprint(bytes, size);
  const std::uint64_t bit = std::uint64_t{1} << (place.interface % 64U);
  forget_old(time_ns);
  Original* original = same_.recent(key, time_ns);
  const bool copy = original != nullptr && (original->seen_by & bit) == 0 &&
                    (place.host || original->host || place.machine != original->machine);
  if (copy) {
    original->seen_by |= bit;
    original->host = original->host || place.host;
    return add_copy(frame, original->frame);
  }
  same_.newer.insert_or_assign(key, Original{frame, time_ns, bit, place.host, place.machine});
  if (several_) learn_elsewhere(frame, place, time_ns, packet, captured);
}

// A packet that nobody has seen with these addresses.
void Copies::learn_elsewhere(std::uint32_t frame, Place place, std::int64_t time_ns,
                             const std::uint8_t* packet, std::size_t size) {
  const auto content = trace::content_of({packet, size}, kPayload);
  if (!content) return;
  Original* original = translated_.recent(content->key, time_ns);
  if (original != nullptr && original->machine != place.machine && original->seen_by == 0) {
    original->seen_by = 1;  // once: two connections may be alike
    return add_copy(frame, original->frame);
  }
  translated_.newer.insert_or_assign(content->key, Original{frame, time_ns, 0, place.host, place.machine});
}

void Copies::add_copy(std::uint32_t frame, std::uint32_t original) {
  if (copies_.empty() || copies_.back().frame < frame) copies_.push_back({frame, original});
}

Copies::Original* Copies::Known::recent(std::uint64_t key, std::int64_t time_ns) {
  for (Originals* generation : {&newer, &older}) {
    const auto it = generation->find(key);
    if (it == generation->end()) continue;
    // Streams of several programs may be a little out of order.
    const std::int64_t way = time_ns - it->second.time_ns;
    return way <= kLongestWay && way >= -kLongestWay ? &it->second : nullptr;
  }
  return nullptr;
}

void Copies::Known::turn() {
  older.swap(newer);
  newer.clear();
}

void Copies::forget_old(std::int64_t time_ns) {
  const bool due = time_ns - newer_since_ > kLongestWay || time_ns < newer_since_ - kLongestWay;
  if (!due && same_.newer.size() < kMostOriginals) return;
  same_.turn();
  translated_.turn();
  newer_since_ = time_ns;
}

std::uint32_t Copies::original(std::uint32_t frame) const noexcept {
  const auto it = std::lower_bound(copies_.begin(), copies_.end(), frame,
                                   [](const Copy& copy, std::uint32_t f) { return copy.frame < f; });
  return it != copies_.end() && it->frame == frame ? it->original : 0;
}

}  // namespace podshark::plugin
