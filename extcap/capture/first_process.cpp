// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/first_process.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "podman/core/proc.h"
#include "podman/core/text.h"

namespace podshark::extcap {

Result<UniqueFd> open_first_process(const model::Container& c) {
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, c.pid, 0)));
  if (!pidfd && errno != ESRCH) return os_error(errno, "watch container " + in_quotes(c.name));
  const Result<ProcStat> stat = read_stat(c.pid);
  if (!stat && errno == EMFILE) return stat.error();
  if (!pidfd || !stat || stat->start_time != c.pid_start || stat->state == 'Z') {
    return Error{ErrorKind::gone, "container " + in_quotes(c.name) + " has stopped or restarted meanwhile",
                 "select it again"};
  }
  return pidfd;
}

}  // namespace podshark::extcap
