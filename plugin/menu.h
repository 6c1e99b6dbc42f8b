// SPDX-License-Identifier: GPL-2.0-or-later
// The menu Tools → Podman, and what it knows of the selected packet.
#pragma once

#include <cstdint>

#include "plugin/commands.h"

namespace podshark::plugin {

/// Registers the menu and the preferences. Once, when the protocol is registered.
void register_menu(int protocol);

/// The packet whose details are shown. Stores five words: in tshark every packet may come by here.
void remember_selected(std::uint32_t frame, const EndNames& src, const EndNames& dst) noexcept;
/// The file is closed, and its names with it.
void forget_selected() noexcept;

}  // namespace podshark::plugin
