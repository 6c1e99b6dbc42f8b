// SPDX-License-Identifier: GPL-2.0-or-later
// Parts of nfnetlink messages, made by hand.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

namespace podshark::test {

/// Network byte order.
inline std::string big(std::uint64_t value, unsigned bytes) {
  std::string out;
  for (unsigned i = bytes; i-- > 0;) out += static_cast<char>(value >> (8 * i));
  return out;
}

/// Padded to four bytes.
inline std::string attribute(unsigned type, const std::string& value) {
  const auto length = static_cast<std::uint16_t>(4 + value.size());
  const auto kind = static_cast<std::uint16_t>(type);
  std::string out(4, '\0');
  std::memcpy(out.data(), &length, 2);
  std::memcpy(out.data() + 2, &kind, 2);
  out += value;
  out.resize((out.size() + 3) & ~std::size_t{3});
  return out;
}

}  // namespace podshark::test
