// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace podshark::extcap {

/// One line of the extcap protocol: `keyword {key=value}{key=value}`. The only place that escapes: Wireshark
/// ends a value at "}" and drops a line with invalid UTF-8, so braces become parentheses and text becomes one
/// clean line. Empty values are left out.
class Sentence {
 public:
  explicit Sentence(std::string_view keyword) : line_(std::string(keyword) + " ") {}
  Sentence& with(std::string_view key, std::string_view value);
  Sentence& with(std::string_view key, long value) {
    return with(key, std::string_view(std::to_string(value)));
  }
  friend std::ostream& operator<<(std::ostream& out, const Sentence& sentence);

 private:
  std::string line_;
};

}  // namespace podshark::extcap
