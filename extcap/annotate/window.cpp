// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/annotate/window.h"

#include <cstring>
#include <utility>

namespace podshark::extcap {

Window::Window(ReadBytes read)
    : read_(std::move(read)), buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(kCapacity)) {}

void Window::make_room(std::size_t n) {
  const std::size_t held = end_ - begin_;
  if (n > capacity_) {
    auto larger = std::make_unique_for_overwrite<std::uint8_t[]>(n);
    std::memcpy(larger.get(), buffer_.get() + begin_, held);
    buffer_ = std::move(larger);
    capacity_ = n;
  } else {
    std::memmove(buffer_.get(), buffer_.get() + begin_, held);
  }
  begin_ = 0;
  end_ = held;
}

void Window::fill(std::size_t n) {
  if (ended_) return;
  make_room(n);
  while (end_ < n) {
    const Result<std::size_t> got = read_({buffer_.get() + end_, capacity_ - end_});
    if (got && *got != 0) {
      end_ += *got;
      continue;
    }
    if (!got) failure_ = got.error();
    ended_ = true;
    return;
  }
}

}  // namespace podshark::extcap
