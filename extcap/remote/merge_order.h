// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace podshark::extcap::remote {

/// Says how far packets of several streams, each in order within itself, can be written in one order: up to
/// what every stream has told, and of a silent one up to a window before now, in which its packets are on
/// their way. The window grows to what was seen to be late. All times in nanoseconds of one clock. Pure.
class MergeOrder {
 public:
  /// Nothing is released before `start_ns` as long as a stream has not begun.
  MergeOrder(std::size_t streams, std::uint64_t start_ns) : streams_(streams), start_ns_(start_ns) {}

  /// It will not come at all, or may come from now on.
  void begun(std::size_t stream) { streams_.at(stream).begun = true; }
  void ended(std::size_t stream) { streams_.at(stream).begun = streams_.at(stream).ended = true; }
  /// A packet that came at `now_ns`. It may be late, and then stands behind younger ones.
  void packet(std::size_t stream, std::uint64_t time_ns, std::uint64_t now_ns);
  /// Everything up to this time can be written; never less than before. The greatest number when all have
  /// ended.
  [[nodiscard]] std::uint64_t until(std::uint64_t now_ns);

  [[nodiscard]] std::uint64_t late() const { return late_; }

  static constexpr std::uint64_t kWindow = 150'000'000;
  static constexpr std::uint64_t kWidest = 2'000'000'000;

 private:
  struct Stream {
    bool begun = false;
    bool ended = false;
    std::uint64_t newest_ns = 0;
  };
  std::vector<Stream> streams_;
  std::uint64_t start_ns_;
  std::uint64_t window_ns_ = kWindow;
  std::uint64_t released_ns_ = 0;
  std::uint64_t late_ = 0;
};

}  // namespace podshark::extcap::remote
