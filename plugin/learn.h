// SPDX-License-Identifier: GPL-2.0-or-later
// epan edge: from packets to the index and back. These functions hold no C++ object with a destructor, so
// that Wireshark's exceptions (longjmp) may pass through them.
#pragma once

#include "plugin/flow_question.h"
#include "plugin/index.h"
#include "plugin/ws_compat.h"

namespace podshark::plugin {

/// The index of the open file. Never destroyed: Wireshark may call us until it exits.
[[nodiscard]] Index& file_index();

/// True for packets on an events interface; costs two comparisons for ordinary packets.
[[nodiscard]] bool is_event_record(const packet_info* pinfo);

/// The JSON of an event record, copied out of `tvb` (the whole frame) into the packet's scope; empty when it
/// is none or was cut off.
[[nodiscard]] std::string_view record_json(tvbuff_t* tvb, packet_info* pinfo);

/// Gives an event record to the index. First pass only.
void learn_record(const packet_info* pinfo, std::string_view json);

/// Gives a packet to the search for copies, where the file may hold any, and a DNS answer to the names. First
/// pass only.
void learn_packet(tvbuff_t* tvb, packet_info* pinfo);

/// What the index says about a packet.
[[nodiscard]] Facts packet_facts(const packet_info* pinfo);

/// Why the kernel dropped the packet, as its options say; nullptr where they do not.
[[nodiscard]] const char* drop_reason(const packet_info* pinfo);

/// Everything the menu wants to know of a dissected packet: `tree` is its whole, visible tree.
[[nodiscard]] SelectedPacket describe_packet(const packet_info* pinfo, proto_tree* tree);

}  // namespace podshark::plugin
