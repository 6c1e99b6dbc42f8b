// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "extcap/annotate/blocks.h"
#include "extcap/annotate/window.h"
#include "podman/core/result.h"

namespace podshark::extcap {

/// Longer blocks are damage (Wireshark's own limit).
inline constexpr std::uint32_t kMaxInputBlock = 16U << 20U;
/// Longest packet of a link type, as Wireshark has it: beyond it no program would read the file.
[[nodiscard]] std::uint32_t max_packet(std::uint16_t linktype);

/// Reads pcap and pcapng, in either byte order, from a stream. Lengths are checked before they are used, so
/// that whatever it hands out can be written as a valid file. Holds one block at a time.
class CaptureReader {
 public:
  explicit CaptureReader(ReadBytes read) : window_(std::move(read)) {}

  /// Before anything else: an error when the stream is no capture file.
  [[nodiscard]] Status begin();
  /// The next block; EndOfFile at a proper end. An error (ErrorKind::damaged, or what reading failed with)
  /// says at which byte and why; it is the end.
  [[nodiscard]] Result<Block> next();

 private:
  struct Interface {
    std::uint16_t linktype = 0;
    std::uint32_t snaplen = 0;
    std::uint64_t last_ticks = 0;  // for packets without a time
  };
  using Bytes = std::span<const std::uint8_t>;
  /// A block, or why there is none.
  using Parsed = std::variant<const char*, Block>;

  [[nodiscard]] Error damaged(const std::string& why) const;
  [[nodiscard]] Error cut_off(const char* within) const;

  [[nodiscard]] Result<Block> next_pcap();
  [[nodiscard]] Block pcap_interface();

  [[nodiscard]] Result<Block> next_pcapng();
  [[nodiscard]] const char* begin_section(Bytes ahead);
  [[nodiscard]] Parsed parse(std::uint32_t type, Bytes whole);
  [[nodiscard]] Parsed section(Bytes body);
  [[nodiscard]] Parsed interface(Bytes body);
  [[nodiscard]] Parsed enhanced_packet(Bytes body, Bytes whole);
  [[nodiscard]] Parsed old_packet(Bytes body);
  [[nodiscard]] Parsed simple_packet(Bytes body);
  [[nodiscard]] Parsed names(Bytes body) const;
  [[nodiscard]] Parsed statistics(Bytes body) const;
  [[nodiscard]] Parsed secrets(Bytes body) const;
  [[nodiscard]] Parsed custom(Bytes body) const;
  [[nodiscard]] Parsed packet(PacketBlock block, Bytes behind, std::uint32_t captured);

  [[nodiscard]] std::uint16_t u16(Bytes b, std::size_t at) const { return get16(b.data() + at, swapped_); }
  [[nodiscard]] std::uint32_t u32(Bytes b, std::size_t at) const { return get32(b.data() + at, swapped_); }
  [[nodiscard]] std::uint64_t time(Bytes b, std::size_t at) const {
    return (std::uint64_t{u32(b, at)} << 32U) | u32(b, at + 4);
  }

  Window window_;
  std::size_t to_skip_ = 0;  // the block that was handed out last
  bool swapped_ = false;
  std::vector<Interface> interfaces_;  // of the section
  std::size_t interface_count_ = 0;    // of the file

  // pcap only
  bool pcap_ = false;
  bool nanoseconds_ = false;
  unsigned introduced_ = 0;  // what a pcap file does not have: first a section, then an interface
  std::array<std::uint8_t, 16> made_options_{};
};

}  // namespace podshark::extcap
