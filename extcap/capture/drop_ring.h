// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "podman/core/fd.h"
#include "podman/core/result.h"

namespace podshark::extcap {

/// Reads a BPF ring buffer that another process has made: needs nothing but its descriptor. See
/// Documentation/bpf/ringbuf.rst in the kernel tree.
class DropRing {
 public:
  DropRing() = default;
  /// `size` is the map's max_entries.
  [[nodiscard]] static Result<DropRing> map(UniqueFd fd, std::size_t size);
  DropRing(DropRing&& other) noexcept { swap(other); }
  DropRing& operator=(DropRing&& other) noexcept {
    swap(other);
    return *this;
  }
  DropRing(const DropRing&) = delete;
  DropRing& operator=(const DropRing&) = delete;
  ~DropRing();

  [[nodiscard]] explicit operator bool() const { return data_ != nullptr; }
  [[nodiscard]] int fd() const { return fd_.get(); }  ///< readable when the program asks for attention
  /// Hands over at most `most` records that are complete; the bytes are valid during the call only.
  void take(std::size_t most, const std::function<void(std::span<const std::uint8_t>)>& record);

 private:
  void swap(DropRing& other) noexcept;
  UniqueFd fd_;
  std::size_t size_ = 0;
  std::size_t page_ = 0;
  std::uint64_t* consumed_ = nullptr;
  const std::uint64_t* produced_ = nullptr;
  const std::uint8_t* data_ = nullptr;
};

}  // namespace podshark::extcap
