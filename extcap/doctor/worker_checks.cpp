// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/capability.h>

#include <array>

#include "extcap/doctor/checks.h"
#include "extcap/doctor/who_may_run.h"

namespace podshark::extcap::doctor {
namespace {

constexpr std::uint64_t bit(unsigned capability) {
  return std::uint64_t{1} << capability;
}

struct Needed {
  std::uint64_t mask;
  const char* name;
};
constexpr std::array<Needed, 3> kNeeded = {{{bit(CAP_SYS_ADMIN), "cap_sys_admin"},
                                            {bit(CAP_SYS_PTRACE), "cap_sys_ptrace"},
                                            {bit(CAP_NET_RAW), "cap_net_raw"}}};

constexpr const char* kCaps = "cap_sys_admin,cap_sys_ptrace,cap_net_raw=p";

std::string missing_from(std::uint64_t set) {
  std::string names;
  for (const Needed& needed : kNeeded) {
    if ((set & needed.mask) == 0) names += (names.empty() ? "" : ",") + std::string(needed.name);
  }
  return names;
}

Finding judge_capabilities(const Scene& scene) {
  const FileFacts& worker = scene.worker;
  const Caller& caller = scene.caller;
  const std::string lost = "rootful containers are out of your reach: ";
  if (const std::string names = missing_from(worker.caps.permitted); !names.empty()) {
    return warn("rootful", lost + worker.path + " lacks the file capabilities " + names,
                worker.uid == 0 ? permit(worker, kCaps)
                                : "install for everybody: " + scene.installation.again + "; or use sudo");
  }
  if (worker.nosuid) {
    return warn("rootful", lost + "the file system of " + worker.path + " is mounted nosuid",
                "install Podshark on a file system without nosuid, or use sudo");
  }
  if (caller.no_new_privs) {
    return warn("rootful", lost + "this session runs with no_new_privs",
                "start from an ordinary login, or use sudo");
  }
  if (const std::string names = missing_from(caller.bounding); !names.empty()) {
    return warn("rootful", lost + "the bounding set of this session lacks " + names,
                "start from an ordinary login (not inside a container)");
  }
  return good("rootful", "you may capture rootful containers through " + worker.path);
}

}  // namespace

// Own rootless containers, and everything for root, are served without the worker: its absence is no failure.
Findings check_worker(const Scene& scene) {
  const FileFacts& worker = scene.worker;
  if (!worker.exists) {
    return {
        warn("worker",
             "podshark-worker not found: ordinary users cannot capture rootful containers, only their own",
             scene.installation.again)};
  }
  if (const std::optional<Finding> found = exposed("worker", worker, kCaps)) return {*found};
  if (!worker.executable) {
    const Barrier why = barrier(worker, scene);
    return {warn("worker", why.fact + ": rootful containers are out of your reach", why.fix)};
  }
  if (worker.caps.effective) {
    return {warn("worker", worker.path + " has its capabilities effective from the start",
                 permit(worker, kCaps))};
  }
  return {good("worker", worker.path + " is " + mode_text(worker))};
}

Findings check_rootful(const Scene& scene) {
  if (scene.caller.uid != 0) {
    return scene.worker.executable ? Findings{judge_capabilities(scene)} : Findings{};
  }
  if (const std::string names = missing_from(scene.caller.bounding); !names.empty()) {
    return {warn("rootful", "this root has no " + names + ": it cannot enter containers' networks",
                 "run on the host itself, not inside a container")};
  }
  return {good("rootful", "you are root: every container on this machine is within reach")};
}

}  // namespace podshark::extcap::doctor
