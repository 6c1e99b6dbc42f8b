// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <unordered_set>

namespace podshark::extcap {

/// MAC addresses of the container links that a session captures. A frame between two captured containers
/// passes both their links; recording it twice would look like a TCP retransmission to Wireshark, so the
/// copy that arrives is left out: the sender's link has shown the frame already.
class CapturedMacs {
 public:
  void add(const std::string& mac) { macs_.insert(number(mac)); }
  void remove(const std::string& mac) {
    if (const auto it = macs_.find(number(mac)); it != macs_.end()) macs_.erase(it);
  }
  /// True when an Ethernet frame that arrived at the link `own` (number() of its address) was sent by another
  /// captured link. The receiver's own address as the source says nothing: all ipvlan links of one parent
  /// have that.
  [[nodiscard]] bool sent_by_captured(const std::uint8_t* frame, std::uint64_t own) const {
    if (macs_.size() < 2) return false;
    std::uint64_t source = 0;
    std::memcpy(reinterpret_cast<std::uint8_t*>(&source) + 2, frame + 6, 6);
    source = __builtin_bswap64(source);
    return source != own && macs_.contains(source);
  }

  /// "02:42:…" as the number that its bytes are.
  [[nodiscard]] static std::uint64_t number(const std::string& mac) {
    std::uint64_t out = 0;
    for (const char c : mac) {
      if (c >= '0' && c <= '9') out = out << 4U | static_cast<std::uint64_t>(c - '0');
      if (c >= 'a' && c <= 'f') out = out << 4U | static_cast<std::uint64_t>(c - 'a' + 10);
    }
    return out;
  }

 private:
  std::unordered_multiset<std::uint64_t> macs_;
};

}  // namespace podshark::extcap
