// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/sentence.h"

#include <ostream>

#include "podman/core/text.h"

namespace podshark::extcap {

Sentence& Sentence::with(std::string_view key, std::string_view value) {
  constexpr std::size_t kMaxValue = 240;  // longer ones make Wireshark's lists unusable
  std::string clean = one_line(value, kMaxValue);
  for (char& c : clean) {
    if (c == '{') c = '(';
    if (c == '}') c = ')';
  }
  if (clean.empty()) return *this;
  line_ += "{";
  line_ += key;
  line_ += "=" + clean + "}";
  return *this;
}

std::ostream& operator<<(std::ostream& out, const Sentence& sentence) {
  return out << sentence.line_ << '\n';
}

}  // namespace podshark::extcap
