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

/// Names of the packet's ends.
[[nodiscard]] Names packet_names(const packet_info* pinfo);

}  // namespace podshark::plugin
