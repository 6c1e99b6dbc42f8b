// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/capability.h>

#include "extcap/doctor/checks.h"
#include "extcap/doctor/who_may_run.h"

namespace podshark::extcap::doctor {
namespace {

constexpr std::uint64_t kNeeded =
    (std::uint64_t{1} << unsigned{CAP_BPF}) | (std::uint64_t{1} << unsigned{CAP_PERFMON});
constexpr const char* kCaps = "cap_bpf,cap_perfmon=p";

Finding lacking(const std::string& why, const std::string& fix) {
  return warn("drops", "dropped packets are not shown: " + why, fix);
}

}  // namespace

// Captures go on without: whatever is missing is a warning. What is open to everybody is none.
Findings check_drops(const Scene& scene) {
  const FileFacts& drops = scene.drops;
  const Caller& caller = scene.caller;
  if (!drops.exists)
    return {lacking("podshark-drops not found",
                    scene.installation.by == Installation::By::setup
                        ? scene.installation.again + "; it builds it with clang, bpftool and libbpf-dev"
                        : scene.installation.again)};
  if (std::optional<Finding> found = exposed("drops", drops, kCaps)) return {std::move(*found)};
  if (!scene.kernel.types)
    return {lacking("the kernel has no type information (/sys/kernel/btf/vmlinux)",
                    "use a kernel built with CONFIG_DEBUG_INFO_BTF, as Debian's are")};
  if (!drops.executable) {
    const Barrier why = barrier(drops, scene);
    return {lacking(why.fact, why.fix)};
  }
  if ((caller.bounding & kNeeded) != kNeeded)
    return {lacking("the bounding set of this session lacks cap_bpf or cap_perfmon",
                    "run on the host itself, not inside a container")};
  const bool root = caller.uid == 0;
  if (!root && (drops.caps.permitted & kNeeded) != kNeeded)
    return {lacking(drops.path + " lacks the file capabilities cap_bpf,cap_perfmon",
                    drops.uid == 0 ? permit(drops, kCaps)
                                   : "install for everybody: " + scene.installation.again + "; or use sudo")};
  if (!root && (drops.nosuid || caller.no_new_privs))
    return {lacking(drops.nosuid ? "the file system of " + drops.path + " is mounted nosuid"
                                 : "this session runs with no_new_privs",
                    "start from an ordinary login, or use sudo")};
  // Last: whatever is known to be missing has a fix of its own.
  if (scene.drops_refused) return {warn("drops", scene.drops_refused->what, scene.drops_refused->hint)};
  return {good("drops",
               root ? "you may see dropped packets, in containers and on the host"
                    : "you may see packets that are dropped inside of containers, through " + drops.path)};
}

}  // namespace podshark::extcap::doctor
