// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/core/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>

namespace podshark {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr IpAddress kLoopback6{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

}  // namespace

IpAddress IpAddress::v4(const std::uint8_t* four_bytes) {
  IpAddress out;
  std::copy(kMapped.begin(), kMapped.end(), out.bytes.begin());
  std::copy_n(four_bytes, 4, out.bytes.begin() + 12);
  return out;
}

IpAddress IpAddress::v6(const std::uint8_t* sixteen_bytes) {
  IpAddress out;
  std::copy_n(sixteen_bytes, 16, out.bytes.begin());
  return out;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string plain(text.substr(0, text.find('/')));
  std::array<std::uint8_t, 16> raw{};
  if (::inet_pton(AF_INET, plain.c_str(), raw.data()) == 1) return v4(raw.data());
  if (::inet_pton(AF_INET6, plain.c_str(), raw.data()) == 1) return v6(raw.data());
  return std::nullopt;
}

bool IpAddress::is_v4() const {
  return std::equal(kMapped.begin(), kMapped.end(), bytes.begin());
}

bool IpAddress::loopback() const {
  return is_v4() ? bytes[12] == 127 : *this == kLoopback6;
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  const char* done = is_v4() ? ::inet_ntop(AF_INET, &bytes[12], out.data(), out.size())
                             : ::inet_ntop(AF_INET6, bytes.data(), out.data(), out.size());
  return done == nullptr ? std::string() : std::string(done);
}

}  // namespace podshark
