// SPDX-License-Identifier: GPL-2.0-or-later
// What we ask of Wireshark's main window and tell the person in front of it. GUI thread only.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>

#include "plugin/commands.h"
#include "plugin/flow_question.h"
#include "plugin/ws_compat.h"

namespace podshark::plugin {

/// An error box with this line.
void tell(const char* line);

/// Runs what Wireshark or GLib calls back: no exception of ours may pass through them.
template <typename Function>
void guarded(const Function& function) noexcept {
  try {
    function();
  } catch (const std::exception& e) {
    tell(e.what());
  } catch (...) {
    tell("unexpected failure");
  }
}

/// The capture file in the window. Not from plugin_if_get_ws_info(): during a live capture that knows neither
/// file nor frame.
struct OpenFile {
  std::string path;
  std::uint32_t frame = 0;  ///< of the selected packet, 0 for none
  bool reading = false;     ///< a capture runs, or it is being loaded
  bool temporary = false;   ///< of a capture not saved yet
  bool changed = false;     ///< not all that is shown is in the file
};
[[nodiscard]] std::optional<OpenFile> open_file();

/// The packet whose details are shown; nothing while the file is being dissected anew.
[[nodiscard]] std::optional<SelectedPacket> selected_packet();

void carry_out(const Action& action);

}  // namespace podshark::plugin
