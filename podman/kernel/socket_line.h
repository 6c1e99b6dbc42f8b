// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers and addresses in the lines of /proc/net/{tcp,udp}{,6}; for the readers of these files.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "podman/core/ip_address.h"

namespace podshark::kernel {

template <typename T>
[[nodiscard]] bool parse_hex(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return !text.empty() && error == std::errc{} && end == text.data() + text.size();
}

/// "0100007F:1F90": 32-bit words of the address as the machine reads them, then the port as a number.
[[nodiscard]] inline bool parse_end(std::string_view text, IpAddress& address, std::uint16_t& port) {
  const std::size_t colon = text.find(':');
  if ((colon != 8 && colon != 32) || !parse_hex(text.substr(colon + 1), port)) return false;
  std::array<std::uint8_t, 16> raw{};
  for (std::size_t i = 0; i * 8 < colon; ++i) {
    std::uint32_t word = 0;
    if (!parse_hex(text.substr(i * 8, 8), word)) return false;
    std::memcpy(&raw[i * 4], &word, sizeof(word));
  }
  address = colon == 8 ? IpAddress::v4(raw.data()) : IpAddress::v6(raw.data());
  return true;
}

}  // namespace podshark::kernel
