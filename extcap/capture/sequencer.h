// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "podman/wire/pcapng.h"

namespace podshark::extcap {

/// Puts packets of several interfaces into one order of time. Each interface has a lane of finished enhanced
/// packet blocks; release() merges the lanes as far as the caller knows that nothing older can come. Pure: no
/// clock, no I/O.
class Sequencer {
 public:
  Sequencer() = default;
  ~Sequencer();
  Sequencer(const Sequencer&) = delete;
  Sequencer& operator=(const Sequencer&) = delete;

  /// Where a whole EPB of interface `id`, stamped `time_ns`, is appended (wire::put_packet). Valid until the
  /// next call. It may be a little older than the one before: two processors may put packets into one ring
  /// the other way round.
  [[nodiscard]] wire::Bytes* lane(std::uint32_t id, std::uint64_t time_ns);

  /// Appends every block stamped at or before `until_ns` to `out`, oldest first. A stamp beyond
  /// `now_ns` + kClockStep does not wait: the clock was set back, and it would be held for as long.
  void release(std::uint64_t until_ns, std::uint64_t now_ns, wire::Bytes* out);
  [[nodiscard]] bool empty() const;
  /// Not yet released.
  [[nodiscard]] std::size_t bytes() const;
  /// Memory for blocks, whether there are any or not.
  [[nodiscard]] std::size_t room() const;

  static constexpr std::uint64_t kClockStep = 2'000'000'000;
  /// So many calls of release() after a lane's last block its memory is given back: an interface may be gone.
  static constexpr unsigned kUnused = 256;

 private:
  struct Lane {
    wire::Bytes bytes;
    std::size_t taken = 0;        // bytes already released
    std::uint64_t newest_ns = 0;  // of those that are not
    unsigned unused = 0;          // calls of release() since the last block
    bool disordered = false;
    bool listed = false;  // in used_
  };
  struct Head {
    std::uint64_t time_ns;
    std::uint32_t id;
    bool operator<(const Head& other) const { return time_ns > other.time_ns; }  // a heap's top is the oldest
  };
  static void put_in_order(Lane& lane);
  [[nodiscard]] std::vector<Head> heads() const;

  std::vector<Lane> lanes_;
  std::vector<std::uint32_t> used_;  // lanes that have memory; of all others there are more and more
};

}  // namespace podshark::extcap
