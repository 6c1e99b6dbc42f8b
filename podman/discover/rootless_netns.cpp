// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/discover/rootless_netns.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "podman/core/proc.h"
#include "podman/core/text.h"
#include "podman/discover/process_facts.h"

namespace podshark::discover {
namespace {

// An nsfs file, or nothing: podman first makes the file, then mounts the namespace on it.
UniqueFd open_nsfs(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct statfs fs {};
  if (!fd || ::fstatfs(fd.get(), &fs) != 0 || fs.f_type != NSFS_MAGIC) return {};
  return fd;
}

// "/proc/PID/root" of the pause process, empty without one. Its pid file may be stale: then the pid belongs
// to nobody or to a process of another kind, under whose root the files are not mounts.
std::string pause_root(const User& user) {
  const Result<std::string> text = read_file(user.runtime_dir + "/libpod/tmp/pause.pid", 64);
  std::uint64_t pid = 0;
  if (!text || !parse_number(std::string(trim(*text)), 1U << 30U, pid)) return {};
  if (process_owner(static_cast<pid_t>(pid), "/proc") != user.uid) return {};
  return "/proc/" + std::to_string(pid) + "/root";
}

// podman 4: RUNTIME_DIR/netns/rootless-netns-HASH
UniqueFd open_older(const std::string& root, const User& user) {
  const std::string directory = root + user.runtime_dir + "/netns";
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory.c_str()), ::closedir);
  while (open) {
    const dirent* entry = ::readdir(open.get());
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (!name.starts_with("rootless-netns-")) continue;
    if (UniqueFd fd = open_nsfs(directory + "/" + name)) return fd;
  }
  return {};
}

// The resolver of rootless networks lives there.
UniqueFd open_by_resolver(const User& user) {
  for (const pid_t pid : list_pids("/proc")) {
    const Result<ProcStat> stat = read_stat(pid, "/proc");
    if (!stat || stat->comm != "aardvark-dns" || process_owner(pid, "/proc") != user.uid) continue;
    if (netns_identity(pid, "/proc") == netns_identity(::getpid(), "/proc")) continue;
    UniqueFd fd(::open(("/proc/" + std::to_string(pid) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
    if (fd) return fd;
  }
  return {};
}

}  // namespace

Result<UniqueFd> open_rootless_netns(const User& user) {
  if (const std::string root = pause_root(user); !root.empty()) {
    const std::string newer = "/containers/networks/rootless-netns/rootless-netns";
    if (UniqueFd fd = open_nsfs(root + user.runtime_dir + newer)) return fd;
    if (UniqueFd fd = open_older(root, user)) return fd;
  }
  if (UniqueFd fd = open_by_resolver(user)) return fd;
  return Error{ErrorKind::not_running, "there is no rootless network namespace now",
               "it exists while a rootless container on a bridge network runs"};
}

Result<UniqueFd> open_netns_file(const User& user, const std::string& name) {
  const std::string root = user.uid == 0 ? std::string() : pause_root(user);
  UniqueFd fd =
      user.uid != 0 && root.empty() ? UniqueFd() : open_nsfs(root + netns_directory(user) + "/" + name);
  if (!fd) return Error{ErrorKind::gone, "namespace " + in_quotes(name) + " is not there yet", {}};
  return fd;
}

std::string netns_directory(const User& user) {
  return user.uid == 0 ? "/run/netns" : user.runtime_dir + "/netns";
}

}  // namespace podshark::discover
