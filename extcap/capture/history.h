// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "extcap/capture/output.h"
#include "podman/wire/pcapng.h"

namespace podshark::extcap {

/// The last minutes of a capture in memory, bounded by time and by size. Holds packet blocks only: the
/// recorder has the section header and the interfaces.
class History {
 public:
  History(std::chrono::seconds length, std::size_t most_bytes) : length_(length), most_(most_bytes) {}
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  /// Takes whole blocks written at `now_ns`, of a clock that nobody sets; `bytes` is left empty. Where there
  /// is no memory, the oldest make room; false, and `bytes` as it was: not even that was enough.
  [[nodiscard]] bool take(wire::Bytes* bytes, std::int64_t now_ns);
  /// Writes what is held, oldest first. Held on to afterwards.
  [[nodiscard]] Status save(Output& output) const;
  [[nodiscard]] std::size_t bytes() const { return held_; }
  /// Time of the first block (CLOCK_REALTIME, ns); none when nothing is held.
  [[nodiscard]] std::optional<std::int64_t> oldest_ns() const;
  /// For how long what is held goes back, when memory and not the wanted length decides that; else nothing.
  [[nodiscard]] std::optional<std::chrono::seconds> cut_short(std::int64_t now_ns) const;
  [[nodiscard]] std::chrono::seconds length() const { return length_; }

 private:
  struct Chunk {
    wire::Bytes bytes;
    std::int64_t last_ns = 0;
  };
  void drop_oldest();
  void make_room();

  std::chrono::seconds length_;
  std::size_t most_;
  std::deque<Chunk> chunks_;
  std::size_t held_ = 0;
  std::optional<std::int64_t> cut_ns_;  // until here it had to go for lack of memory
};

}  // namespace podshark::extcap
