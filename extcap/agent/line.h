// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string.h>

#include <cstddef>
#include <cstdint>

#include "podman/wire/pcapng.h"

namespace podshark::agent {

/// One line of text of limited length; what does not fit is cut.
class Line {
 public:
  Line& add(const char* text) { return add(text, strlen(text)); }
  Line& add(const char* text, std::size_t size) {
    if (size > kLongest - size_) size = kLongest - size_;
    memcpy(text_ + size_, text, size);
    size_ += size;
    text_[size_] = '\0';
    return *this;
  }
  Line& add(std::uint64_t number, unsigned digits = 1) {
    char reversed[20];
    std::size_t n = 0;
    do {
      reversed[n++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0 || n < digits);
    while (n > 0) add(&reversed[--n], 1);
    return *this;
  }
  /// Without what could steer a terminal or end a word: links are named by whoever is root in the container.
  Line& add_printable(const char* text) {
    for (; *text != '\0'; ++text) add(*text > ' ' && *text <= '~' ? text : "?", 1);
    return *this;
  }
  [[nodiscard]] wire::Text text() const { return {text_, size_}; }
  [[nodiscard]] const char* c_str() const { return text_; }

 private:
  static constexpr std::size_t kLongest = 1023;
  char text_[kLongest + 1] = "";
  std::size_t size_ = 0;
};

}  // namespace podshark::agent
