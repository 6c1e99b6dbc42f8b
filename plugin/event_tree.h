// SPDX-License-Identifier: GPL-2.0-or-later
// Event records in the packet details, with expert information.
#pragma once

#include "plugin/event_items.h"
#include "plugin/ws_compat.h"

namespace podshark::plugin {

/// Registers the fields below protocol `proto`.
void register_event_fields(int proto);

/// The registered number of a field.
[[nodiscard]] int event_field(EventField field);

/// Shows a record below `tree`, which may be nullptr: expert information is collected also then. `packet`:
/// the frame that it is about, 0 for none.
void show_event(tvbuff_t* tvb, packet_info* pinfo, proto_tree* tree, const EventItems& event,
                std::uint32_t packet);

}  // namespace podshark::plugin
