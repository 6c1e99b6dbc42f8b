// SPDX-License-Identifier: GPL-2.0-or-later
// Statistics -> Podman, and the tables of conversations and endpoints by container; `tshark -z podman,tree`
// and so on. Fed by the tap "podman".
#pragma once

#include "plugin/event_items.h"
#include "plugin/learn.h"
#include "plugin/ws_compat.h"

namespace podshark::plugin {

/// Trees and tables of protocol `proto`, which has to be called "podman" like the tap.
void register_statistics(int proto);

/// Somebody counts: send_packet() and send_event() are wanted.
[[nodiscard]] bool statistics_wanted();
void send_packet(packet_info* pinfo, const Facts& facts);
void send_event(packet_info* pinfo, const EventItems& event);

}  // namespace podshark::plugin
