// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "podman/core/result.h"

namespace podshark::extcap {

/// Fills a span with the next bytes of a stream; 0 is its end.
using ReadBytes = std::function<Result<std::size_t>(std::span<std::uint8_t>)>;

/// What gzip(1) packed, member after member as `cat a.gz b.gz` makes them. Bytes behind the last member that
/// are no gzip are ignored, as gzip does.
class Inflate {
 public:
  explicit Inflate(ReadBytes packed);
  ~Inflate();
  Inflate(const Inflate&) = delete;
  Inflate& operator=(const Inflate&) = delete;

  /// ErrorKind::damaged when the stream ends in the middle of a member or is none.
  [[nodiscard]] Result<std::size_t> read(std::span<std::uint8_t> out);

 private:
  struct Stream;
  [[nodiscard]] Result<bool> more();
  [[nodiscard]] Result<bool> next_member();

  ReadBytes packed_;
  std::vector<std::uint8_t> buffer_;
  std::unique_ptr<Stream> stream_;
  bool between_ = false;  // a member has ended
  bool ended_ = false;
};

/// The first two bytes of a gzip file.
[[nodiscard]] constexpr bool is_gzip(std::span<const std::uint8_t> bytes) {
  return bytes.size() >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B;
}

}  // namespace podshark::extcap
