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

/// What a child is given besides its stdout.
struct Pipes {
  bool lease = false;   ///< stdin is a pipe held open here: its end tells the child that we are gone, however
  bool errors = false;  ///< stderr is a pipe of its own instead of /dev/null
  bool merge_stderr = false;  ///< or goes where stdout goes
};

/// A child process with its own process group. Destroying it kills the whole group and reaps the child:
/// nothing outlives its owner.
class Child {
 public:
  Child() = default;
  Child(pid_t pid, UniqueFd pidfd, UniqueFd out, UniqueFd errors = UniqueFd(), UniqueFd lease = UniqueFd())
      : pid_(pid),
        pidfd_(std::move(pidfd)),
        out_(std::move(out)),
        errors_(std::move(errors)),
        lease_(std::move(lease)) {}
  Child(Child&& other) noexcept { take(other); }
  Child& operator=(Child&& other) noexcept {
    if (this != &other) {
      kill_and_reap();
      take(other);
    }
    return *this;
  }
  ~Child() { kill_and_reap(); }

  [[nodiscard]] explicit operator bool() const { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }    ///< readable when the child has ended
  [[nodiscard]] int out() const { return out_.get(); }        ///< its stdout, non-blocking
  [[nodiscard]] int errors() const { return errors_.get(); }  ///< its stderr, non-blocking; -1 without a pipe
  [[nodiscard]] int lease() const { return lease_.get(); }    ///< the pipe to its stdin; -1 without, or ended
  /// Blocks until the child has ended; its wait status.
  int wait();
  /// Its stdin ends.
  void end_lease() { lease_.reset(); }
  /// For a child that tidies up and ends by itself after its lease: from now on it is not killed any more.
  void leave();

 private:
  void take(Child& other) {
    pid_ = std::exchange(other.pid_, 0);
    pidfd_ = std::move(other.pidfd_);
    out_ = std::move(other.out_);
    errors_ = std::move(other.errors_);
    lease_ = std::move(other.lease_);
    left_ = std::exchange(other.left_, false);
  }
  void kill_and_reap();
  pid_t pid_ = 0;
  UniqueFd pidfd_;
  UniqueFd out_;
  UniqueFd errors_;
  UniqueFd lease_;
  bool left_ = false;
};

/// Full path of the program that spawn() would start, empty when there is none.
[[nodiscard]] std::string find_program(const std::string& name);

/// Starts argv[0], looked up in PATH (plus /usr/sbin:/sbin), with stdout on a pipe and stdin and stderr on
/// /dev/null unless `pipes` says otherwise. No shell. `set_env` holds "NAME=value" entries replacing
/// inherited ones, and "NAME" entries removing them.
[[nodiscard]] Result<Child> spawn(const std::vector<std::string>& argv,
                                  const std::vector<std::string>& set_env = {}, Pipes pipes = {});

struct Output {
  int exit_code = -1;  ///< or 128 + signal
  std::string out;
  std::string errors;  ///< Stderr::kept: the end of its stderr, 16 to 32 KiB
};
enum class Stderr { dropped, merged /* into out */, kept };

/// Runs argv to its end. Kills its process group at the deadline or when it prints more than `max_bytes`;
/// both, and a missing program, are an Error naming argv[0].
[[nodiscard]] Result<Output> run(const std::vector<std::string>& argv, std::chrono::milliseconds deadline,
                                 std::size_t max_bytes, const std::vector<std::string>& set_env = {},
                                 Stderr errors = Stderr::dropped);

}  // namespace podshark
