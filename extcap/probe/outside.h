// SPDX-License-Identifier: GPL-2.0-or-later
// A TCP probe from another machine: the OpenSSH client starts bash there, which connects to the target.
#pragma once

#include <string>

#include "podman/core/process.h"
#include "podman/core/result.h"
#include "podman/probe/machine.h"

namespace podshark::extcap::probing {

/// "ssh://[USER@]HOST[:PORT]" as it is, for ssh(1) takes it so. ErrorKind::usage for anything else,
/// unsupported for a path (a container over there).
[[nodiscard]] Result<std::string> parse_ssh(const std::string& text);

/// What ssh is told to run there. It ends by itself `timeout` after it began, also when we are gone. `say`:
/// what to send once connected, letters, digits and spaces only.
[[nodiscard]] std::string far_command(const probe::Endpoint& remote, probe::milliseconds timeout,
                                      const std::string& say);
/// errno for what bash said of a failed connect(2); 0: it said something else.
[[nodiscard]] int far_error(const std::string& text);

/// Its timeout begins when the login is done. attempt().local stays empty: the other end is not known.
class OutsideProbe : public probe::Machine {
 public:
  OutsideProbe(std::string destination, const probe::Endpoint& remote, probe::milliseconds timeout,
               std::string say);

  void begin(probe::TimePoint now) override;
  void on_ready(probe::TimePoint now) override;
  void on_time(probe::TimePoint now) override;
  [[nodiscard]] bool done() const override { return done_; }
  [[nodiscard]] probe::TimePoint wake() const override { return wake_; }
  void interests(std::vector<Interest>& out) const override;
  [[nodiscard]] const probe::Attempt& attempt() const { return attempt_; }
  /// The longest that one may take, login included.
  [[nodiscard]] static probe::milliseconds longest(probe::milliseconds timeout);

 private:
  enum class Phase { login, connecting, connected };
  [[nodiscard]] bool read_output(probe::TimePoint now);
  bool take_line(probe::TimePoint now);
  void ended(probe::TimePoint now);
  void finish(int error = 0);

  std::string destination_;
  std::string say_;
  probe::milliseconds timeout_;
  probe::Attempt attempt_;
  Child child_;
  Phase phase_ = Phase::login;
  std::string output_;
  std::string errors_;
  probe::TimePoint since_{};  ///< of the phase
  probe::TimePoint wake_{};
  bool done_ = false;
};

}  // namespace podshark::extcap::probing
