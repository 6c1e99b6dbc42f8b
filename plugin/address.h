// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>

namespace podshark::plugin {

/// An IPv4, IPv6 or MAC address in network byte order; `length` 4, 16 or 6 tells which, 0 none.
struct Address {
  std::uint8_t length = 0;
  std::array<std::uint8_t, 16> bytes{};

  Address() = default;
  /// `size` must be 4, 6 or 16; anything else gives none.
  Address(const void* data, std::size_t size) {
    if (size != 4 && size != 6 && size != 16) return;
    length = static_cast<std::uint8_t>(size);
    std::memcpy(bytes.data(), data, size);
  }
  bool operator==(const Address&) const = default;

  /// 127/8 or ::1.
  [[nodiscard]] bool loopback() const {
    if (length == 4) return bytes[0] == 127;
    return length == 16 && bytes[15] == 1 &&
           std::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t b) { return b == 0; });
  }
};

/// From "10.88.0.2" or "fd00::2", also with a prefix length behind it; any other text gives none.
[[nodiscard]] Address parse_ip(const std::string& text);

/// The reverse for IPv4 and IPv6, with nothing behind it; empty for others.
[[nodiscard]] std::string to_text(const Address& address);

struct AddressHash {
  std::size_t operator()(const Address& a) const {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::memcpy(&high, a.bytes.data(), sizeof high);
    std::memcpy(&low, a.bytes.data() + sizeof high, sizeof low);
    // The bits that vary are the top ones on little endian: multiply, then fold them down.
    const std::uint64_t mixed = (high ^ (low * 0x9E3779B97F4A7C15ULL) ^ a.length) * 0xD6E8FEB86659FD93ULL;
    return static_cast<std::size_t>(mixed ^ (mixed >> 32U));
  }
};

}  // namespace podshark::plugin
