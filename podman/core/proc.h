// SPDX-License-Identifier: GPL-2.0-or-later
// The few facts of /proc that every layer needs. `proc` is a parameter so that tests can show a made-up one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "podman/core/result.h"

namespace podshark {

/// proc_pid_stat(5).
struct ProcStat {
  std::string comm;
  char state = '?';
  pid_t ppid = 0;
  std::uint64_t start_time = 0;  ///< clock ticks since boot; with the pid it names a process for good
};

[[nodiscard]] Result<ProcStat> read_stat(pid_t pid, const std::string& proc = "/proc");

/// The whole file, at most `max_bytes` (the rest is an error, never cut silently).
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t max_bytes);

/// Arguments of /proc/PID/cmdline; empty for kernel threads and vanished processes.
[[nodiscard]] std::vector<std::string> read_cmdline(pid_t pid, const std::string& proc = "/proc");

/// Inode number of /proc/PID/ns/NAME, 0 when it may not be read or is gone.
[[nodiscard]] std::uint64_t namespace_inode(pid_t pid, const char* name, const std::string& proc = "/proc");

/// Directory of the running program, links resolved.
[[nodiscard]] std::string program_directory();

/// All process ids now, in no order.
[[nodiscard]] std::vector<pid_t> list_pids(const std::string& proc = "/proc");

}  // namespace podshark
