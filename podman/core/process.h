// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "podman/core/fd.h"
#include "podman/core/result.h"

namespace podshark {

/// A child process with its own process group. Destroying it kills the whole group and reaps the child:
/// nothing outlives its owner.
class Child {
 public:
  Child() = default;
  Child(pid_t pid, UniqueFd pidfd, UniqueFd out)
      : pid_(pid), pidfd_(std::move(pidfd)), out_(std::move(out)) {}
  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)), out_(std::move(other.out_)) {}
  Child& operator=(Child&& other) noexcept {
    if (this != &other) {
      kill_and_reap();
      pid_ = std::exchange(other.pid_, 0);
      pidfd_ = std::move(other.pidfd_);
      out_ = std::move(other.out_);
    }
    return *this;
  }
  ~Child() { kill_and_reap(); }

  [[nodiscard]] explicit operator bool() const { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }  ///< readable when the child has ended
  [[nodiscard]] int out() const { return out_.get(); }      ///< its stdout, non-blocking
  /// Blocks until the child has ended; its wait status.
  int wait();

 private:
  void kill_and_reap();
  pid_t pid_ = 0;
  UniqueFd pidfd_;
  UniqueFd out_;
};

/// Full path of the program that spawn() would start, empty when there is none.
[[nodiscard]] std::string find_program(const std::string& name);

/// Starts argv[0], looked up in PATH (plus /usr/sbin:/sbin), with stdin and stderr on /dev/null and
/// stdout on a pipe, with `merge_stderr` stderr as well. No shell. `set_env` holds "NAME=value" entries
/// replacing inherited ones, and "NAME" entries removing them.
[[nodiscard]] Result<Child> spawn(const std::vector<std::string>& argv,
                                  const std::vector<std::string>& set_env = {}, bool merge_stderr = false);

struct Output {
  int exit_code = -1;  ///< or 128 + signal
  std::string out;
};

/// Runs argv to its end. Kills its process group at the deadline or when it prints more than `max_bytes`;
/// both, and a missing program, are an Error naming argv[0].
[[nodiscard]] Result<Output> run(const std::vector<std::string>& argv, std::chrono::milliseconds deadline,
                                 std::size_t max_bytes, const std::vector<std::string>& set_env = {},
                                 bool merge_stderr = false);

}  // namespace podshark
