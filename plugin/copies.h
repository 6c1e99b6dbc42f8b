// SPDX-License-Identifier: GPL-2.0-or-later
// Finds packets that a file holds more than once because they were captured at several points of their way,
// of which one at least is on the host's side. Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace podshark::plugin {

class Copies {
 public:
  struct Place {
    unsigned interface = 0;  ///< any number that tells the interfaces of a file apart
    bool host = false;       ///< on the host's side
  };

  void clear();
  /// Takes packets in frame order; `packet` begins with the network header. May throw std::bad_alloc.
  void learn(std::uint32_t frame, Place place, std::int64_t time_ns, const std::uint8_t* packet,
             std::size_t size);
  /// The first frame with the same packet, 0 when `frame` is the first itself.
  [[nodiscard]] std::uint32_t original(std::uint32_t frame) const noexcept;

  /// Bytes of a packet that are compared.
  static constexpr std::size_t kCompared = 128;
  /// On its way through one host a packet takes no longer.
  static constexpr std::int64_t kLongestWay = 500'000'000;

 private:
  struct Original {
    std::uint32_t frame = 0;
    std::int64_t time_ns = 0;
    std::uint64_t seen_by = 0;  // one bit per interface
    bool host = false;
  };
  struct Copy {
    std::uint32_t frame = 0;
    std::uint32_t original = 0;
  };
  using Originals = std::unordered_map<std::uint64_t, Original>;

  [[nodiscard]] Original* recent_original(std::uint64_t fingerprint, std::int64_t time_ns);
  void forget_old(std::int64_t time_ns);

  Originals newer_, older_;  // two generations, so that forgetting costs nothing per packet
  std::int64_t newer_since_ = 0;
  std::vector<Copy> copies_;  // by frame
};

}  // namespace podshark::plugin
