// SPDX-License-Identifier: GPL-2.0-or-later
#include <cerrno>
#include <cstring>

#include "extcap/doctor/checks.h"
#include "podman/core/text.h"

namespace podshark::extcap::doctor {
namespace {

// usermod(8) takes any range, also one that somebody has: it must be one that is free.
std::string add_subordinate_ids(const UserNamespaces& ns, const std::string& user) {
  if (ns.free_ids == 0) {
    return "make room for " + std::to_string(kSubordinateIds) + " numbers in /etc/subuid and /etc/subgid";
  }
  const std::string range =
      " " + std::to_string(ns.free_ids) + "-" + std::to_string(ns.free_ids + kSubordinateIds - 1);
  return "sudo usermod" + (ns.subuid ? "" : " --add-subuids" + range) +
         (ns.subgid ? "" : " --add-subgids" + range) + " " + user + " && podman system migrate";
}

// The restriction protects the machine: podman gets its profile, nobody is told to switch it off.
Finding judge_profile(const UserNamespaces& ns) {
  const std::string& path = ns.podman_profile;
  if (!path.empty() && !ns.podman_profile_disabled)
    return good("user namespaces",
                "restricted by AppArmor, but for programs with a profile: podman has " + path);
  const std::string fact =
      "restricted by AppArmor: rootless podman needs a profile that allows 'userns', and " +
      (path.empty() ? std::string("/etc/apparmor.d/podman does not exist") : path + " is disabled") +
      " (joining existing ones, as Podshark does, is not restricted)";
  if (path.empty()) {
    return warn(
        "user namespaces", fact,
        "printf 'abi <abi/4.0>,\\nprofile podman /usr/bin/podman flags=(unconfined) { userns, }\\n' | "
        "sudo tee /etc/apparmor.d/podman && sudo apparmor_parser -r /etc/apparmor.d/podman");
  }
  const std::string name = path.substr(path.rfind('/') + 1);
  return warn("user namespaces", fact,
              "sudo rm /etc/apparmor.d/disable/" + name + " && sudo apparmor_parser -r " + path);
}

}  // namespace

Findings check_user_namespaces(const Scene& scene) {
  const UserNamespaces& ns = scene.userns;
  if (scene.caller.uid == 0) return {};
  if (ns.max.has_value() && *ns.max == 0) {
    return {warn("user namespaces", "switched off (user.max_user_namespaces is 0): no rootless containers",
                 "sudo sysctl -w user.max_user_namespaces=15000")};
  }
  if (ns.unprivileged_clone.has_value() && *ns.unprivileged_clone == 0) {
    return {warn("user namespaces",
                 "not for ordinary users (kernel.unprivileged_userns_clone is 0): no rootless containers",
                 "sudo sysctl -w kernel.unprivileged_userns_clone=1")};
  }
  if (ns.apparmor_restrict.has_value() && *ns.apparmor_restrict != 0) {
    return {judge_profile(ns)};
  }
  return {good("user namespaces", "allowed for ordinary users")};
}

Findings check_subordinate_ids(const Scene& scene) {
  const Caller& caller = scene.caller;
  const UserNamespaces& ns = scene.userns;
  if (caller.uid == 0) return {};
  if (!ns.newuidmap) {
    return {warn("subordinate ids", "newuidmap not found: rootless podman cannot map users",
                 "sudo apt-get install uidmap")};
  }
  if (ns.subuid && ns.subgid)
    return {good("subordinate ids", caller.name + " has ranges in /etc/subuid and /etc/subgid")};
  return {warn("subordinate ids",
               caller.name + " has no range in " +
                   (ns.subuid   ? "/etc/subgid"
                    : ns.subgid ? "/etc/subuid"
                                : "/etc/subuid and /etc/subgid") +
                   ": rootless podman cannot map users",
               add_subordinate_ids(ns, caller.name))};
}

Findings check_rootless_network(const Scene& scene) {
  const UserNamespaces& ns = scene.userns;
  if (scene.caller.uid == 0) return {};
  if (!ns.pasta && !ns.slirp4netns) {
    return {warn("rootless network",
                 "neither pasta nor slirp4netns found: rootless containers have no network",
                 "sudo apt-get install passt slirp4netns")};
  }
  // podman-run(1) of 5.0: "The default is pasta"; containers.conf may say otherwise.
  std::uint64_t major = 0;
  const std::string& version = scene.podman.version;
  if (!ns.pasta && parse_number(version.substr(0, version.find('.')), 1000, major) && major >= 5) {
    return {warn("rootless network",
                 "pasta not found, which podman " + version + " connects rootless containers by",
                 "sudo apt-get install passt")};
  }
  return {good("rootless network", std::string(ns.pasta ? "pasta" : "") +
                                       (ns.pasta && ns.slirp4netns ? " and " : "") +
                                       (ns.slirp4netns ? "slirp4netns" : "") + " found")};
}

Findings check_kernel(const Scene& scene) {
  const Kernel& kernel = scene.kernel;
  Findings found;
  if (kernel.pidfd != 0) {
    found.push_back(fail("kernel",
                         "Linux " + kernel.release + " has no pidfd_open: " + std::strerror(kernel.pidfd),
                         "use Linux 5.3 or later"));
  }
  if (kernel.tpacket_v3 == EPERM || kernel.tpacket_v3 == EACCES || kernel.tpacket_v3 == ENOSPC) {
    found.push_back(warn("kernel",
                         "could not try a packet ring: you may not make a network namespace of your own",
                         "see 'user namespaces'; or sudo podshark doctor"));
  } else if (kernel.tpacket_v3 != 0) {
    found.push_back(fail("kernel",
                         "no packet ring (TPACKET_V3): " + std::string(std::strerror(kernel.tpacket_v3)),
                         "use a kernel with CONFIG_PACKET: sudo modprobe af_packet"));
  }
  if (found.empty())
    found.push_back(good("kernel", "Linux " + kernel.release + " with TPACKET_V3 and pidfd"));
  return found;
}

// A link takes up to five descriptors and its packet ring, 32 MiB unless there are many.
Findings check_limits(const Scene& scene) {
  const Kernel& kernel = scene.kernel;
  Findings found;
  if (kernel.open_files < 4096) {
    found.push_back(
        warn("limits",
             "at most " + std::to_string(kernel.open_files) + " open files: enough for " +
                 std::to_string(kernel.open_files / 5) + " links at once",
             "raise 'nofile' in /etc/security/limits.conf (LimitNOFILE= of a service), then log in again"));
  }
  if (kernel.address_space < std::uint64_t{1} << 30U) {
    found.push_back(warn("limits",
                         "at most " + std::to_string(kernel.address_space >> 20U) +
                             " MiB of address space: packet rings are mapped into it",
                         "ulimit -v unlimited, or use smaller rings: podshark capture --ring-size"));
  }
  if (kernel.inotify != 0) {
    found.push_back(warn("limits",
                         std::string("no inotify instance is left (") + std::strerror(kernel.inotify) +
                             "): --wait cannot see containers as they appear",
                         "sudo sysctl -w fs.inotify.max_user_instances=1024"));
  }
  if (found.empty()) found.push_back(good("limits", "open files, memory and inotify instances are enough"));
  return found;
}

}  // namespace podshark::extcap::doctor
