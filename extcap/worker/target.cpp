// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/worker/target.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>
#include <utility>

#include "extcap/worker/privilege.h"
#include "podman/core/proc.h"
#include "podman/wire/netns.h"

namespace podshark::worker {
namespace {

OpenedNetns refuse(Stage stage, int error = 0) {
  return OpenedNetns{UniqueFd(), stage, error};
}

UniqueFd open_pidfd(pid_t pid) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

bool has_ended(const UniqueFd& pidfd) {
  pollfd p{pidfd.get(), POLLIN, 0};
  return ::poll(&p, 1, 0) != 0;
}

// 0 when it can not be known: the caller may lower limits at any moment, so nothing is concluded from a
// failure.
std::uint64_t ns_inode_of(const std::string& path) {
  const UniqueFd ns(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return ns ? wire::ns_inode(ns.get()) : 0;
}

// Where distributions and podman itself put conmon; podman's own list is conmon_path in containers.conf(5).
bool is_conmon(const struct stat& program) {
  for (const char* path : {"/usr/bin/conmon", "/usr/libexec/podman/conmon", "/usr/lib/podman/conmon",
                           "/usr/local/bin/conmon", "/usr/local/libexec/podman/conmon"}) {
    struct stat known {};
    if (::stat(path, &known) == 0 && known.st_dev == program.st_dev && known.st_ino == program.st_ino)
      return true;
  }
  return false;
}

// What the process tells can be forged: its name by a link, the path of its executable by whoever is root in
// a mount namespace of his own, as in another program's container. Not which file it is, nor that it is in no
// container's process namespace.
bool is_root_conmon(pid_t pid) {
  const std::string directory = "/proc/" + std::to_string(pid);
  struct stat st {};
  if (::stat(directory.c_str(), &st) != 0 || st.st_uid != 0) return false;
  struct stat program {};
  raise_only(CAP_SYS_PTRACE);
  const bool found = ::stat((directory + "/exe").c_str(), &program) == 0;
  const std::uint64_t processes = ns_inode_of(directory + "/ns/pid");
  const std::uint64_t hosts = ns_inode_of("/proc/1/ns/pid");
  raise_only(-1);
  return found && is_conmon(program) && hosts != 0 && processes == hosts;
}

// The parent's number may change its owner too: its child must still be that afterwards, and the parent
// alive.
bool is_child_of_root_conmon(pid_t pid, pid_t parent) {
  const UniqueFd pidfd = open_pidfd(parent);
  if (!pidfd || !is_root_conmon(parent)) return false;
  const Result<ProcStat> now = read_stat(pid);
  return now && now->ppid == parent && !has_ended(pidfd);
}

OpenedNetns open_by_process(const Request& request, bool borrowed) {
  const auto pid = static_cast<pid_t>(request.pid);
  const UniqueFd pidfd = open_pidfd(pid);
  if (!pidfd) return refuse(Stage::find_process, errno);
  const Result<ProcStat> stat = read_stat(pid);
  if (!stat) return refuse(Stage::find_process, errno);
  if (has_ended(pidfd)) return refuse(Stage::find_process);
  if (stat->start_time != request.pid_start) return refuse(Stage::identity);
  if (borrowed && !is_child_of_root_conmon(pid, stat->ppid)) return refuse(Stage::not_podman);
  raise_only(CAP_SYS_PTRACE);
  OpenedNetns out;
  out.fd.reset(::open(("/proc/" + std::to_string(pid) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
  const int error = errno;
  raise_only(-1);
  if (!out.fd) return refuse(Stage::open_netns, error);
  // Still the same process after the open: the descriptor is its netns and nobody else's.
  if (has_ended(pidfd)) return refuse(Stage::find_process);
  return out;
}

std::string netns_name(const std::uint8_t (&uuid)[16]) {
  std::string name = "netns-";
  for (unsigned i = 0; i < 16; ++i) {
    std::array<char, 3> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x", uuid[i]);
    if (i == 4 || i == 6 || i == 8 || i == 10) name += '-';
    name += digits.data();
  }
  return name;
}

OpenedNetns open_by_file(const Request& request) {
  const UniqueFd directory(::open("/run/netns", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat st {};
  if (!directory || ::fstat(directory.get(), &st) != 0) return refuse(Stage::open_netns, errno);
  if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) return refuse(Stage::not_podman);
  OpenedNetns out;
  out.fd.reset(
      ::openat(directory.get(), netns_name(request.uuid).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!out.fd) return refuse(Stage::open_netns, errno);
  struct statfs fs {};
  if (::fstatfs(out.fd.get(), &fs) != 0 || fs.f_type != NSFS_MAGIC) return refuse(Stage::open_netns, ESTALE);
  return out;
}

// The namespace must be owned by the initial user namespace (rootful), by one that root made below it
// (rootful with --uidmap or --userns=auto) or by the caller himself.
bool owned_by_root_or_caller(int netns_fd) {
  const UniqueFd owner(::ioctl(netns_fd, NS_GET_USERNS));
  if (!owner) return false;
  const UniqueFd own(::open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC));
  if (own && wire::ns_inode(own.get()) == wire::ns_inode(owner.get())) return true;
  uid_t uid = 0;
  return ::ioctl(owner.get(), NS_GET_OWNER_UID, &uid) == 0 && (uid == 0 || uid == ::getuid());
}

// The host's is that of process 1, not the worker's own, which is its caller's: root may have started him in
// another (`ip netns exec vpn sudo -u me`, a unit with PrivateNetwork=). In a pid namespace process 1 is the
// first of that; but there nobody can name a process outside.
std::uint64_t host_netns_inode() {
  raise_only(CAP_SYS_PTRACE);
  const std::uint64_t inode = ns_inode_of("/proc/1/ns/net");
  raise_only(-1);
  return inode;
}

// What is asked in addition of a worker with more rights than its user has.
OpenedNetns refuse_others(OpenedNetns netns) {
  const std::uint64_t host = host_netns_inode();
  if (host == 0) return refuse(Stage::open_netns, errno);
  if (host == wire::ns_inode(netns.fd.get())) return refuse(Stage::host_netns);
  if (!owned_by_root_or_caller(netns.fd.get())) return refuse(Stage::not_yours);
  return netns;
}

OpenedNetns open_by_kind(const Request& request, bool borrowed, UniqueFd passed) {
  OpenedNetns out;
  switch (request.kind) {
    case TargetKind::process:
      return open_by_process(request, borrowed);
    case TargetKind::netns_file:
      return open_by_file(request);
    case TargetKind::own_netns:
      if (borrowed) return refuse(Stage::host_netns);
      out.fd.reset(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
      break;
    case TargetKind::descriptor:
      if (borrowed) return refuse(Stage::request);
      out.fd = std::move(passed);
      break;
    default:
      return refuse(Stage::request);
  }
  return out.fd ? std::move(out) : refuse(Stage::open_netns, EBADF);
}

}  // namespace

OpenedNetns open_target(const Request& request, bool borrowed, UniqueFd passed) {
  OpenedNetns netns = open_by_kind(request, borrowed, std::move(passed));
  if (netns.stage != Stage::done) return netns;
  if (::ioctl(netns.fd.get(), NS_GET_NSTYPE) != CLONE_NEWNET) return refuse(Stage::open_netns, EINVAL);
  const std::uint64_t own = ns_inode_of("/proc/self/ns/net");
  const std::uint64_t inode = wire::ns_inode(netns.fd.get());
  if (own == 0 || inode == 0) return refuse(Stage::open_netns, errno);
  if (request.netns_inode != 0 && request.netns_inode != inode) return refuse(Stage::identity);
  const bool host = own == inode;
  if (host != (request.kind == TargetKind::own_netns)) return refuse(Stage::host_netns);
  return borrowed ? refuse_others(std::move(netns)) : std::move(netns);
}

}  // namespace podshark::worker
