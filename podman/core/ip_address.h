// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace podshark {

/// An IPv4 or IPv6 address in network byte order. IPv4 is kept as ::ffff:a.b.c.d, so that the same peer is
/// one address whichever socket family it was met through.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const IpAddress&) const = default;

  [[nodiscard]] static IpAddress v4(const std::uint8_t* four_bytes);
  [[nodiscard]] static IpAddress v6(const std::uint8_t* sixteen_bytes);
  /// "10.88.0.2", "fd00::2", also with "/16" behind it: what stands behind a '/' is not looked
  /// at. Nothing for any other text.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const;
  [[nodiscard]] bool loopback() const;  ///< 127/8 or ::1
  [[nodiscard]] std::string text() const;
};

}  // namespace podshark
