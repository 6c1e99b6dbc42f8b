// SPDX-License-Identifier: GPL-2.0-or-later
// The menu Tools → Podman.
#pragma once

namespace podshark::plugin {

/// Registers the menu and the preferences. Once, when the protocol is registered.
void register_menu(int protocol);

}  // namespace podshark::plugin
