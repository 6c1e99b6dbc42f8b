// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <map>

namespace podshark::extcap {

/// The numbers by which podshark-drops knows who is watched. Pure.
class DropTags {
 public:
  /// 1 to `most`.
  explicit DropTags(std::uint32_t most) : most_(most) {}
  /// A number that nobody has: one that nobody had, else one that was given back kRest before the ring was
  /// last read to its end, at `read_ns`. 0: there is none.
  [[nodiscard]] std::uint32_t take(std::int64_t read_ns) {
    if (made_ < most_) return ++made_;
    for (auto it = resting_.begin(); it != resting_.end(); ++it) {
      if (it->second + kRest > read_ns) continue;
      const std::uint32_t tag = it->first;
      resting_.erase(it);
      return tag;
    }
    return 0;
  }
  /// Drops of its owner may still be in the ring, or come until the program has heard of it.
  void give_back(std::uint32_t tag, std::int64_t now_ns) { resting_.emplace(tag, now_ns); }
  /// Its last owner needs it again.
  void keep(std::uint32_t tag) { resting_.erase(tag); }

  static constexpr std::int64_t kRest = 10'000'000'000;

 private:
  std::uint32_t most_;
  std::uint32_t made_ = 0;
  std::map<std::uint32_t, std::int64_t> resting_;  // since when
};

}  // namespace podshark::extcap
