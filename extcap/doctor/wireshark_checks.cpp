// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/doctor/checks.h"
#include "extcap/doctor/who_may_run.h"

namespace podshark::extcap::doctor {
namespace {

// setup.sh has been run here in one of two ways, which we do not know.
std::string reinstall(const Scene& scene) {
  return scene.installation.by == Installation::By::setup ? "run install/setup.sh again"
                                                          : scene.installation.again;
}

// Wireshark takes the personal copy where both exist, and warns.
Finding judge_extcap(const Scene& scene, const FileFacts& used, const std::string& dir) {
  if (!used.executable) {
    return fail("extcap", used.path + " exists, but you may not execute it (" + mode_text(used) + ")",
                "sudo chmod 0755 " + used.path);
  }
  if (!used.same_file(scene.self)) {
    return warn("extcap", used.path + " is another podshark than this one (" + scene.self.path + ")",
                "to use this one: sudo ln -sf " + scene.self.path + " " + used.path);
  }
  return good("extcap", "Wireshark looks in " + dir + " and finds this podshark there");
}

}  // namespace

Findings check_wireshark(const Scene& scene) {
  const Wireshark& ws = scene.wireshark;
  if (ws.program.empty()) {
    return {fail("wireshark", "could not ask tshark where Wireshark looks: " + ws.problem,
                 "sudo apt-get install tshark wireshark")};
  }
  if (ws.gui.empty()) {
    return {good("wireshark", "tshark " + ws.version + ", programs in " + ws.program_dir +
                                  "; its window (package wireshark) is not installed")};
  }
  if (ws.gui != ws.program_dir + "/wireshark") {
    return {warn("wireshark",
                 "the first wireshark in PATH is " + ws.gui + ", tshark " + ws.version + " is in " +
                     ws.program_dir + ": what follows is about tshark",
                 "keep one of them; PATH decides: type -a wireshark tshark")};
  }
  return {good("wireshark", "version " + ws.version + ", programs in " + ws.program_dir)};
}

// Their sandbox has its own /usr and its own processes: neither our extcap nor podman can be started from
// there.
Findings check_sandboxed(const Scene& scene) {
  Findings found;
  for (const std::string& kind : scene.wireshark.sandboxed) {
    const std::string start =
        kind == "Flatpak" ? "flatpak run org.wireshark.Wireshark" : "snap run wireshark";
    found.push_back(warn(
        "sandbox",
        "there is a Wireshark from " + kind +
            ": it cannot start extcap programs of this machine, so it lists no containers",
        "start the distribution's Wireshark, or pipe: podshark capture NAME -w - | " + start + " -k -i -"));
  }
  return found;
}

Findings check_extcap(const Scene& scene) {
  const Wireshark& ws = scene.wireshark;
  if (ws.program.empty()) return {};
  const FileFacts& personal = scene.personal_extcap;
  const FileFacts& global = scene.global_extcap;
  if (!personal.exists && !global.exists) {
    return {fail("extcap",
                 "podshark is in neither extcap directory of this Wireshark: " + ws.personal_extcap_dir +
                     ", " + ws.global_extcap_dir,
                 reinstall(scene))};
  }
  Findings found;
  found.push_back(personal.exists ? judge_extcap(scene, personal, ws.personal_extcap_dir)
                                  : judge_extcap(scene, global, ws.global_extcap_dir));
  if (personal.exists && global.exists && !personal.same_file(global)) {
    found.push_back(warn(
        "duplicates", "two podshark extcaps: Wireshark uses " + personal.path + " and ignores " + global.path,
        "rm " + personal.path));
  }
  return found;
}

Findings check_plugin(const Scene& scene) {
  const Wireshark& ws = scene.wireshark;
  if (ws.program.empty()) return {};
  const FileFacts& personal = scene.personal_plugin;
  const FileFacts& global = scene.global_plugin;
  const bool root_trap = scene.caller.uid == 0 && personal.exists && !global.exists;
  Findings found;
  if (!ws.loaded_plugins.empty()) {
    found.push_back(good("plugin", ws.loaded_plugins.front() + " is loaded by Wireshark " + ws.version));
  } else if (root_trap) {
    found.push_back(
        warn("plugin", "Wireshark ignores personal plugins when it runs as root (" + personal.path + ")",
             "start Wireshark as yourself, or install for everybody: " + scene.installation.again));
  } else if (personal.exists || global.exists) {
    const std::string& path = global.exists ? global.path : personal.path;
    found.push_back(fail("plugin", path + " is there, but Wireshark " + ws.version + " does not load it",
                         "tshark -G plugins >/dev/null shows why; " + reinstall(scene)));
  } else if (!scene.other_plugin_versions.empty()) {
    found.push_back(fail("plugin",
                         "the plugin was built for Wireshark " + scene.other_plugin_versions.front() +
                             ", this is " + ws.version,
                         reinstall(scene)));
  } else {
    found.push_back(fail("plugin",
                         "podshark.so is not in " + ws.global_plugin_dir + "/epan: packets carry no names",
                         reinstall(scene)));
  }
  // In the GUI this is a modal dialog at every start.
  if (personal.exists && global.exists) {
    found.push_back(warn("duplicates",
                         "podshark.so is in two plugin directories: Wireshark complains at every start",
                         "rm " + personal.path));
  }
  return found;
}

Findings check_dumpcap(const Scene& scene) {
  const FileFacts& dumpcap = scene.dumpcap;
  if (scene.wireshark.program.empty()) return {};
  if (!dumpcap.exists) {
    return {fail("dumpcap",
                 "dumpcap not found in " + scene.wireshark.program_dir + ": Wireshark cannot capture at all",
                 "sudo apt-get install --reinstall wireshark-common")};
  }
  const std::string state = dumpcap.path + " is " + mode_text(dumpcap);
  if (dumpcap.executable)
    return {good("dumpcap", state + ", you may run it; Podshark needs no more from it")};
  return {fail("dumpcap", state + ": Wireshark cannot capture at all as you, also not through extcap",
               barrier(dumpcap, scene.caller).fix)};
}

}  // namespace podshark::extcap::doctor
