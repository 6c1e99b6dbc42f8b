// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/detached.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace podshark::extcap {
namespace {

constexpr int kDone = 3;

void keep_only(int fd) {
  const UniqueFd null(::open("/dev/null", O_RDWR));
  for (const int standard : {0, 1, 2}) ::dup2(null.get(), standard);
  ::dup2(fd, kDone);
  (void)::close_range(kDone + 1, ~0U, 0);
  (void)::fcntl(kDone, F_SETFD, FD_CLOEXEC);  // not for the programs that it starts
}

}  // namespace

UniqueFd detached(const std::function<void(const std::function<void()>& done)>& work) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  UniqueFd done(ends[0]);
  UniqueFd held(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return {};
  if (pid == 0) {
    // Twice forked and in a session of its own: Wireshark waits for our process group's pipes, not for this.
    if (::setsid() < 0 || ::fork() != 0) ::_exit(0);
    keep_only(held.get());
    work([] { (void)::close(kDone); });
    ::_exit(0);
  }
  held.reset();
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return done;
}

}  // namespace podshark::extcap
