// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "extcap/annotate/options.h"
#include "podman/core/result.h"
#include "podman/wire/pcapng.h"

namespace podshark::extcap::remote {

/// Decodes a pcapng stream as podshark writes it (docs/FORMAT.md), in the pieces in which it arrives: one
/// section, little endian, nanoseconds, blocks of at most wire::kMaxBlock. Every length and number is checked
/// before it is used, and what is handed out may be copied into a file as it is. Holds at most one block.
/// Pure; one thread.
class PcapngFeed {
 public:
  using Bytes = std::span<const std::uint8_t>;

  struct Interface {
    std::uint32_t number = 0;  ///< from 0, in the order they come
    std::uint16_t linktype = 0;
    std::uint32_t snaplen = 0;
    std::string_view name;
    std::string_view description;
    std::string_view filter;    ///< libpcap syntax
    std::string_view metadata;  ///< JSON of our custom option 2989
  };
  struct Packet {
    std::uint32_t interface = 0;  ///< one that came before
    std::uint64_t time_ns = 0;
    Bytes data;                ///< as captured
    std::uint32_t length = 0;  ///< on the wire
    Options options;           ///< comment, our custom option 2989
    Bytes block;               ///< the whole of it
  };
  /// Called from feed(), in the order of the stream; each may be empty. Spans and texts are valid during the
  /// call.
  struct Hooks {
    std::function<void(Bytes block)> block = {};  ///< each, of whatever kind, behind the hook for its kind
    std::function<void()> section = {};
    std::function<void(const Interface&)> interface = {};
    std::function<void(const Packet&)> packet = {};
    std::function<void(Bytes block)> names = {};
    std::function<void(const wire::InterfaceCounters&)> statistics = {};
  };
  explicit PcapngFeed(Hooks hooks) : hooks_(std::move(hooks)) {}

  /// The next piece, of any size. ErrorKind::damaged says at which byte of the stream and why; nothing behind
  /// that is handed out, now or later.
  [[nodiscard]] Status feed(Bytes bytes);
  /// The stream could end here: it has begun, and no block is cut.
  [[nodiscard]] bool whole() const { return began_ && rest_.empty() && !failure_; }

 private:
  /// Why a block is none of ours; nullptr: it was handed out.
  using Verdict = const char*;
  [[nodiscard]] Status pieces(Bytes bytes);
  [[nodiscard]] Result<std::size_t> size_of(Bytes start) const;
  [[nodiscard]] Status take(Bytes whole);
  [[nodiscard]] static bool is_known(std::uint32_t type);
  [[nodiscard]] Verdict parse(std::uint32_t type, Bytes whole);
  [[nodiscard]] Verdict section(Bytes body);
  [[nodiscard]] Verdict interface(Bytes body);
  [[nodiscard]] Verdict packet(Bytes body, Bytes whole);
  [[nodiscard]] Verdict names(Bytes body, Bytes whole);
  [[nodiscard]] Verdict statistics(Bytes body);
  [[nodiscard]] Error damaged(const char* why) const;

  Hooks hooks_;
  std::vector<std::uint8_t> rest_;  // the beginning of a block
  std::uint64_t offset_ = 0;        // in the stream, of that block
  std::uint32_t interfaces_ = 0;
  bool began_ = false;
  std::optional<Error> failure_;
};

}  // namespace podshark::extcap::remote
