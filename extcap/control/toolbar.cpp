// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/control/toolbar.h"

#include <unistd.h>

#include <ostream>
#include <vector>

#include "extcap/sentence.h"
#include "podman/core/proc.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

Sentence control(ToolbarControl number, const char* type, const char* role) {
  return Sentence("control").with("number", static_cast<long>(number)).with("type", type).with("role", role);
}

}  // namespace

bool toolbar_wanted(std::string_view version, std::string_view choice) {
  if (choice == "on") return true;
  if (choice == "off") return false;
  const std::vector<std::string> parts = split(version, '.');
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  if (parts.size() < 2 || !parse_number(parts[0], 1000, major) || !parse_number(parts[1], 1000, minor))
    return false;
  return major > 4 || (major == 4 && minor >= 4);
}

void write_toolbar(std::ostream& out) {
  out << control(ToolbarControl::mark, "string", "control")
             .with("display", "Mark")
             .with("placeholder", "what happens now, then Enter")
             .with("tooltip", "Enter writes a record with this text into the packet list, at this moment")
      << control(ToolbarControl::target, "string", "control")
             .with("display", "Target")
             .with("placeholder", "web:80 or db > web:80, then Enter")
             .with("tooltip",
                   "What Probe and Check NAT ask about: a container, container:port, or A > B:port to ask "
                   "from A; "
                   "empty is the captured container")
      << control(ToolbarControl::probe, "button", "control")
             .with("display", "Probe")
             .with("tooltip",
                   "Try to reach the target now; the answer comes into the log and the packet list")
      << control(ToolbarControl::check, "button", "control")
             .with("display", "Check NAT")
             .with(
                 "tooltip",
                 "Look for what is wrong with the target's network, NAT and firewall; findings come into the "
                 "log and the packet list")
      << control(ToolbarControl::pause, "boolean", "control")
             .with("display", "Pause following")
             .with("default", "false")
             .with("tooltip", "Do not add containers and links that appear from now on to the capture")
      << control(ToolbarControl::loss, "button", "control")
             .with("display", kNoLoss)
             .with("tooltip", "Packets lost by this capture; press for the numbers of each link in the log")
      << control(ToolbarControl::log, "button", "logger")
             .with("display", "Log")
             .with("tooltip", "What happened to the capture and its containers")
      << control(ToolbarControl::help, "button", "help")
             .with("display", "Help")
             .with("tooltip", "What Podshark's interfaces and this toolbar do");
}

std::string help_page() {
  const std::string directory = program_directory();
  const std::string page = directory.substr(0, directory.rfind('/')) + "/share/podshark/help.html";
  return ::access(page.c_str(), R_OK) == 0 ? page : std::string();
}

}  // namespace podshark::extcap
