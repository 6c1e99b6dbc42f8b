// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/one_sided.h"

#include <algorithm>

namespace podshark::plugin {
namespace {

constexpr std::size_t kMostRecent = 2'000'000;

std::uint32_t at(const std::unordered_map<std::uint32_t, std::uint32_t>& map, std::uint32_t key) noexcept {
  const auto it = map.find(key);
  return it == map.end() ? 0 : it->second;
}

}  // namespace

void OneSided::clear() {
  recent_.clear();
  records_.clear();
  packets_.clear();
}

void OneSided::visit(std::uint32_t frame, std::int64_t time_ns) {
  while (!recent_.empty() &&
         (recent_.front().time_ns + kLongestWait < time_ns || recent_.size() >= kMostRecent)) {
    recent_.pop_front();
  }
  recent_.push_back({time_ns, frame});
}

// Files of ours are in order of time; in one that is not, the record has no link.
void OneSided::learn(std::uint32_t frame, std::int64_t packet_ns) {
  if (packet_ns == 0) return;
  const auto it = std::lower_bound(recent_.begin(), recent_.end(), packet_ns,
                                   [](const Visit& v, std::int64_t t) { return v.time_ns < t; });
  if (it == recent_.end() || it->time_ns != packet_ns) return;
  records_.emplace(it->frame, frame);
  packets_.emplace(frame, it->frame);
}

std::uint32_t OneSided::record(std::uint32_t packet) const noexcept {
  return at(records_, packet);
}

std::uint32_t OneSided::packet(std::uint32_t record) const noexcept {
  return at(packets_, record);
}

}  // namespace podshark::plugin
