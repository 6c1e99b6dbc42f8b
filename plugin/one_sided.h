// SPDX-License-Identifier: GPL-2.0-or-later
// Packets that a capture at both ends has seen at one of them only: which frame a record of that is about. A
// record follows its packet within seconds and names it by its time. Pure; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>

namespace podshark::plugin {

class OneSided {
 public:
  void clear();
  /// Takes packets of our interfaces in frame order. May throw std::bad_alloc.
  void visit(std::uint32_t frame, std::int64_t time_ns);
  /// Takes the record in this frame, about the packet captured then. May throw std::bad_alloc.
  void learn(std::uint32_t frame, std::int64_t packet_ns);
  /// The record about this packet, 0 for none.
  [[nodiscard]] std::uint32_t record(std::uint32_t packet) const noexcept;
  /// The packet that this record is about, 0 for none.
  [[nodiscard]] std::uint32_t packet(std::uint32_t record) const noexcept;

  /// Records do not come later.
  static constexpr std::int64_t kLongestWait = 10'000'000'000;

 private:
  struct Visit {
    std::int64_t time_ns = 0;
    std::uint32_t frame = 0;
  };
  std::deque<Visit> recent_;
  std::unordered_map<std::uint32_t, std::uint32_t> records_;  // by packet
  std::unordered_map<std::uint32_t, std::uint32_t> packets_;  // by record
};

}  // namespace podshark::plugin
