// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/probe/stop.h"

#include <signal.h>
#include <sys/signalfd.h>

#include <cerrno>

namespace podshark::extcap::probing {

Result<UniqueFd> stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int s : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, s);
  (void)::sigprocmask(SIG_BLOCK, &set, nullptr);
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return os_error(errno, "signalfd");
  return fd;
}

}  // namespace podshark::extcap::probing
