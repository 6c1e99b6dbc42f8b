// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>

namespace podshark::test {

inline constexpr std::uint32_t kMicroMagic = 0xa1b2c3d4;
inline constexpr std::uint32_t kNanoMagic = 0xa1b23c4d;

/// Bytes of a pcap savefile, in this machine's byte order or the other one.
class PcapBytes {
 public:
  explicit PcapBytes(bool swapped = false) : swapped_(swapped) {}

  [[nodiscard]] std::string header(std::uint32_t magic, std::uint32_t linktype = 1) const {
    return word(magic) + half(2) + half(4) + word(0) + word(0) + word(262144) + word(linktype);
  }
  /// `length` 0: that of the data.
  [[nodiscard]] std::string record(std::uint32_t seconds, std::uint32_t fraction, const std::string& data,
                                   std::uint32_t length = 0) const {
    const auto size = static_cast<std::uint32_t>(data.size());
    return word(seconds) + word(fraction) + word(size) + word(length == 0 ? size : length) + data;
  }

 private:
  [[nodiscard]] std::string word(std::uint32_t value) const {
    if (swapped_) value = __builtin_bswap32(value);
    return {reinterpret_cast<const char*>(&value), sizeof(value)};
  }
  [[nodiscard]] std::string half(std::uint16_t value) const {
    if (swapped_) value = __builtin_bswap16(value);
    return {reinterpret_cast<const char*>(&value), sizeof(value)};
  }
  bool swapped_;
};

}  // namespace podshark::test
