// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/preferences.h"

#include <epan/prefs.h>

#include <cstdlib>

#include "plugin/commands.h"
#include "plugin/ws_compat.h"

namespace podshark::plugin {
namespace {

const char* program = "";
const char* inventory = "";
Boolean live = false;

const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

void register_preferences(int protocol) {
  module_t* preferences = prefs_register_protocol(protocol, nullptr);
  prefs_register_filename_preference(preferences, "program", "Program podshark",
                                     "What the menu Tools → Podman runs. Empty: where it was installed, else "
                                     "podshark in PATH, else the one in the personal extcap directory.",
                                     &program, false);
  prefs_register_filename_preference(
      preferences, "inventory", "Inventory for captures without one",
      "A file that 'podshark inventory' has saved. Empty: NAME.podman.json beside the capture NAME.pcap.",
      &inventory, false);
  prefs_register_bool_preference(preferences, "live", "Ask podman about captures without an inventory",
                                 "Names are those of the containers that run on this machine when the file "
                                 "is opened. Asked once for each file, for five seconds at most.",
                                 &live);
}

Result<std::string> podshark_program() {
  return find_podshark({program, PODSHARK_PROGRAM, variable("PATH"), personal_extcap_directory()});
}

OutsideInventory outside_inventory_preference() {
  return {inventory, live != 0};
}

}  // namespace podshark::plugin
