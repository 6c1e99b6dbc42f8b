// SPDX-License-Identifier: GPL-2.0-or-later
// What a capture file consists of, whatever its format. Spans are valid until the reader's next call.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "extcap/annotate/clock.h"
#include "extcap/annotate/options.h"
#include "podman/wire/pcapng.h"

namespace podshark::extcap {

struct SectionBlock {
  Options options;
};
/// Interfaces are numbered from 0 in each section, in the order they come.
struct InterfaceBlock {
  std::uint16_t linktype = 0;
  std::uint32_t snaplen = 0;
  std::string_view name;
  TickClock clock;
  Options options;
};
struct PacketBlock {
  std::uint32_t interface = 0;  ///< one that the section has
  std::uint64_t ticks = 0;      ///< by the interface's clock
  std::span<const std::uint8_t> data;
  std::uint32_t length = 0;
  std::uint32_t lost = 0;  ///< packets lost before it, as old packet blocks tell
  Options options;
  std::span<const std::uint8_t> whole;  ///< the block, if it can be copied as it is; else empty
};
struct NamesBlock {
  Options records;  ///< stored as options are
  Options options;
};
struct StatisticsBlock {
  std::uint32_t interface = 0;
  std::uint32_t time_high = 0;
  std::uint32_t time_low = 0;
  Options options;
};
struct SecretsBlock {
  std::uint32_t type = 0;
  std::span<const std::uint8_t> secrets;
  Options options;
};
struct JournalBlock {
  std::span<const std::uint8_t> entry;
};
/// One that programs may copy without knowing it.
struct CustomBlock {
  std::uint32_t enterprise = 0;
  std::span<const std::uint8_t> content;
};
/// One that only means something where it was written.
struct OtherBlock {};
struct EndOfFile {};

using Block = std::variant<EndOfFile, SectionBlock, InterfaceBlock, PacketBlock, NamesBlock, StatisticsBlock,
                           SecretsBlock, JournalBlock, CustomBlock, OtherBlock>;

using enum wire::BlockType;

}  // namespace podshark::extcap
