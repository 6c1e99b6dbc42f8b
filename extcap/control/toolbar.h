// SPDX-License-Identifier: GPL-2.0-or-later
// What the interface toolbar holds, and which Wireshark is offered it (docs/EXTCAP.md says why).
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

namespace podshark::extcap {

enum class ToolbarControl : std::uint8_t {
  mark = 0,
  pause = 1,
  loss = 2,
  log = 3,
  help = 4,
  target = 5,
  probe = 6,
  check = 7
};

inline constexpr std::string_view kNoLoss = "dropped 0 (0 %)";

/// `version` is the value of --extcap-version (4.4), `choice` that of PODSHARK_TOOLBAR: "on" or "off" decide,
/// anything else leaves it to the version. Wireshark before 4.4 gets none.
[[nodiscard]] bool toolbar_wanted(std::string_view version, std::string_view choice);

/// The `control` sentences of --extcap-interfaces.
void write_toolbar(std::ostream& out);

/// Path of the help page that belongs to this program; empty when it is not installed. Without scheme,
/// because the toolbar opens no file: addresses.
[[nodiscard]] std::string help_page();

}  // namespace podshark::extcap
