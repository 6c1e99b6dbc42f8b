// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/check/in_netns.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "podman/core/fd.h"
#include "podman/wire/netns.h"

namespace podshark::extcap::check {

UniqueFd open_netns(const NetnsPlace& place) {
  switch (place.kind) {
    case NetnsPlace::Kind::container:
      return UniqueFd(
          ::open(("/proc/" + std::to_string(place.container.pid) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
    case NetnsPlace::Kind::descriptor:
      return UniqueFd(place.fd ? ::fcntl(place.fd->get(), F_DUPFD_CLOEXEC, 0) : -1);
    case NetnsPlace::Kind::file:
      return UniqueFd(::open(place.path.c_str(), O_RDONLY | O_CLOEXEC));
    case NetnsPlace::Kind::host:
      break;
  }
  return UniqueFd(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
}

bool enter(int netns, bool host) {
  if (!host && wire::join_netns(netns) != 0) return false;
  // Who is not root in the namespace that was joined (--userns=keep-id) would lose it when nft is started.
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2]{};
  if (::syscall(SYS_capget, &header, sets) != 0) return true;
  if ((sets[0].permitted & (1U << CAP_NET_ADMIN)) == 0) return true;
  sets[0].inheritable |= 1U << CAP_NET_ADMIN;
  if (::syscall(SYS_capset, &header, sets) == 0)
    (void)::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0);
  return true;
}

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void child(int out, int netns, bool host, const std::function<std::string()>& job) noexcept {
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  (void)::setpgid(0, 0);
  if (!enter(netns, host)) ::_exit(1);
  const std::string text = job();
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(out, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) ::_exit(2);
    done += static_cast<std::size_t>(n);
  }
  ::_exit(0);
}

// False at the deadline or the limit.
bool read_all(int fd, Clock::time_point end, std::string& out) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd waiting{fd, POLLIN, 0};
    if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) < 0) return false;
    std::array<char, 65536> buffer{};
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n == 0) return true;
    if (n < 0) return false;
    out.append(buffer.data(), static_cast<std::size_t>(n));
    if (out.size() > kMaxAnswer) return false;
  }
}

}  // namespace

Result<std::string> in_netns(const NetnsPlace& place, const std::function<std::string()>& job,
                             std::chrono::milliseconds deadline) {
  const UniqueFd netns = open_netns(place);
  if (!netns) return os_error(errno, "open the network namespace of " + place.who());
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return os_error(errno, "make a pipe");
  const UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  const pid_t pid = ::fork();
  if (pid == 0) child(to.get(), netns.get(), place.kind == NetnsPlace::Kind::host, job);
  to.reset();
  if (pid < 0) return os_error(errno, "start a child for " + place.who());
  std::string out;
  const bool whole = read_all(from.get(), Clock::now() + deadline, out);
  if (!whole) (void)::kill(-pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!whole) return Error{ErrorKind::internal, "look into " + place.who() + ": no answer in time", {}};
  if (status != 0)
    return Error{ErrorKind::permission, "enter the network namespace of " + place.who() + ": not permitted",
                 "run podshark as its owner, or with sudo"};
  return out;
}

}  // namespace podshark::extcap::check
