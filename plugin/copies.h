// SPDX-License-Identifier: GPL-2.0-or-later
// Finds packets that a file holds more than once because they were captured at several points of their way,
// of which one at least is on the host's side, or which are on two machines. Pure; one thread.
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
    unsigned machine = 0;    ///< any number that tells the machines apart
  };

  void clear();
  /// The file is of several machines.
  void expect_several() { several_ = true; }
  /// Takes packets in frame order; `packet` begins with the network header. May throw std::bad_alloc.
  /// Of two machines also packets whose addresses and ports were translated between them are one.
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
    unsigned machine = 0;
  };
  struct Copy {
    std::uint32_t frame = 0;
    std::uint32_t original = 0;
  };
  using Originals = std::unordered_map<std::uint64_t, Original>;
  // Two generations, so that forgetting costs nothing per packet.
  struct Known {
    Originals newer, older;
    [[nodiscard]] Original* recent(std::uint64_t key, std::int64_t time_ns);
    void turn();
  };

  void learn_elsewhere(std::uint32_t frame, Place place, std::int64_t time_ns, const std::uint8_t* packet,
                       std::size_t size);
  void add_copy(std::uint32_t frame, std::uint32_t original);
  void forget_old(std::int64_t time_ns);

  Known same_;        // by fingerprint
  Known translated_;  // of several machines, by what translation leaves as it is
  std::int64_t newer_since_ = 0;
  bool several_ = false;
  std::vector<Copy> copies_;  // by frame
};

}  // namespace podshark::plugin
