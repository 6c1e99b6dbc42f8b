// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "extcap/annotate/inflate.h"
#include "podman/core/result.h"

namespace podshark::extcap {

/// Looks ahead in a stream: one buffer, as large as the longest piece that was asked for.
class Window {
 public:
  explicit Window(ReadBytes read);

  /// The next bytes, at least `n` of them unless the stream ends before. Valid until the next call.
  [[nodiscard]] std::span<const std::uint8_t> ahead(std::size_t n) {
    if (end_ - begin_ < n) fill(n);
    return {buffer_.get() + begin_, end_ - begin_};
  }
  /// Goes on behind `n` bytes that ahead() has shown.
  void skip(std::size_t n) {
    begin_ += n;
    offset_ += n;
  }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  /// Why the stream ended, when that was no proper end.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

 private:
  static constexpr std::size_t kCapacity = std::size_t{256} * 1024;
  void fill(std::size_t n);
  void make_room(std::size_t n);

  ReadBytes read_;
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t capacity_ = kCapacity;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;
  bool ended_ = false;
  std::optional<Error> failure_;
};

}  // namespace podshark::extcap
