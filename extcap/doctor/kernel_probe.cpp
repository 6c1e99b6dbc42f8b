// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/doctor/kernel_probe.h"

#include <linux/if_packet.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "podman/core/fd.h"

namespace podshark::extcap::doctor {
namespace {

// Runs in the child. The errno is its exit code: Linux's are all below 256.
int try_tpacket_v3() {
  UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!fd && errno == EPERM && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0) {
    fd.reset(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  }
  if (!fd) return errno;
  const int version = TPACKET_V3;
  return ::setsockopt(fd.get(), SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) == 0 ? 0 : errno;
}

int in_child(int (*attempt)()) {
  const pid_t pid = ::fork();
  if (pid < 0) return errno;
  if (pid == 0) ::_exit(attempt());
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return errno;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

int try_pidfd() {
  const UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  return fd ? 0 : errno;
}

std::uint64_t hard_limit(__rlimit_resource_t resource) {
  rlimit limit{};
  return ::getrlimit(resource, &limit) == 0 ? limit.rlim_max : RLIM_INFINITY;
}

}  // namespace

Kernel probe_kernel() {
  Kernel kernel;
  utsname name{};
  if (::uname(&name) == 0) kernel.release = name.release;
  kernel.tpacket_v3 = in_child(try_tpacket_v3);
  kernel.pidfd = try_pidfd();
  kernel.open_files = hard_limit(RLIMIT_NOFILE);
  kernel.address_space = hard_limit(RLIMIT_AS);
  kernel.inotify = UniqueFd(::inotify_init1(IN_CLOEXEC)) ? 0 : errno;
  return kernel;
}

}  // namespace podshark::extcap::doctor
