// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/doctor/who_may_run.h"

#include <algorithm>
#include <vector>

namespace podshark::extcap::doctor {
namespace {

constexpr mode_t kOthersWrite = 0022;
constexpr mode_t kOthersRun = 0001;
constexpr mode_t kGroupRuns = 0010;

bool contains(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// The group of a file that all may run means nothing: below /usr/local it may just be the directory's.
bool for_one_group(const FileFacts& file) {
  return file.uid == 0 && file.gid != 0 && (file.mode & kOthersRun) == 0;
}

// chown clears capabilities, so it comes first.
std::string restrict_and_permit(const FileFacts& file, const std::string& caps) {
  const std::string group = for_one_group(file) ? file.group : "wireshark";
  return (for_one_group(file) ? "" : "sudo groupadd --system --force wireshark && ") +
         std::string("sudo chown root:") + group + " " + file.path + " && sudo chmod 0750 " + file.path +
         " && sudo setcap " + caps + " " + file.path;
}

}  // namespace

// Joining a group is advised only where that is what is missing, and never root's.
Barrier barrier(const FileFacts& file, const Caller& caller) {
  const std::string state = file.path + " is " + mode_text(file);
  if (file.noexec) {
    return {"the file system of " + file.path + " is mounted noexec",
            "install it on a file system that is not mounted noexec"};
  }
  const bool by_group = (file.mode & kGroupRuns) != 0 && file.gid != 0 && file.uid != caller.uid;
  if (!by_group || contains(caller.session_groups, file.group)) {
    return {state + ": restricted by the administrator",
            caller.uid == 0 ? "chmod 0750 " + file.path + ", unless that is meant so"
                            : "restricted by the administrator: ask there, or use sudo"};
  }
  if (contains(caller.database_groups, file.group)) {
    return {state + " and this session is not in that group",
            "you are in group " + file.group + ", but this session is older than that: log in again"};
  }
  return {state + " and you are not in that group",
          "sudo usermod -aG " + file.group + " " + caller.name + ", then log in again"};
}

Barrier barrier(const FileFacts& helper, const Scene& scene) {
  Barrier out = barrier(helper, scene.caller);
  if (scene.installation.by == Installation::By::debian && helper.uid == 0 && helper.gid == 0)
    out.fix = "sudo dpkg-reconfigure podshark";  // its postinst: group, mode, capabilities
  return out;
}

std::string permit(const FileFacts& file, const std::string& caps) {
  return for_one_group(file) ? "sudo setcap " + caps + " " + file.path : restrict_and_permit(file, caps);
}

// Whoever may write the file decides what runs with its capabilities.
std::optional<Finding> exposed(const std::string& topic, const FileFacts& file, const std::string& caps) {
  const std::string state = file.path + " is " + mode_text(file);
  const bool capable = file.caps.permitted != 0;
  if ((file.mode & kOthersWrite) != 0 || (file.uid != 0 && !file.owner_hidden && capable)) {
    return fail(topic, state + ": others could replace what it does",
                capable ? restrict_and_permit(file, caps) : "sudo chmod go-w " + file.path);
  }
  if (capable && (file.mode & kOthersRun) != 0) {
    return fail(topic, state + ": everybody may run it with its capabilities, not only a group",
                restrict_and_permit(file, caps));
  }
  return std::nullopt;
}

}  // namespace podshark::extcap::doctor
