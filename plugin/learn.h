// SPDX-License-Identifier: GPL-2.0-or-later
// epan edge: from packets to the index and back. These functions hold no C++ object with a destructor, so
// that Wireshark's exceptions (longjmp) may pass through them.
#pragma once

#include "plugin/index.h"
#include "plugin/ws_compat.h"

namespace podshark::plugin {

/// The index of the open file. Never destroyed: Wireshark may call us until it exits.
[[nodiscard]] Index& file_index();

/// True for packets on an events interface; costs two comparisons for ordinary packets.
[[nodiscard]] bool is_event_record(const packet_info* pinfo);

/// Copies the record out of `tvb` (the whole frame) and gives its JSON to the index. First pass only.
void learn_record(tvbuff_t* tvb, packet_info* pinfo);

/// Gives a packet to the search for copies, where the file may hold any. First pass only.
void learn_packet(tvbuff_t* tvb, packet_info* pinfo);

/// What the index says about a packet.
struct Facts {
  Names names;
  Point point = Point::unknown;
  std::uint32_t original = 0;  ///< the frame that has the same packet from another point, 0 for none
};
[[nodiscard]] Facts packet_facts(const packet_info* pinfo);

}  // namespace podshark::plugin
