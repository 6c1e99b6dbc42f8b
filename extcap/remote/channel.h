// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "extcap/remote/far_host.h"
#include "extcap/remote/far_script.h"
#include "podman/core/process.h"
#include "podman/core/result.h"

namespace podshark::extcap::remote {

/// podshark on another machine, through ssh(1), which ends with this object within seconds however it ends.
/// One thread; the caller polls.
class Channel {
 public:
  struct Hooks {
    std::function<void(std::span<const std::uint8_t>)> output;  ///< of podshark, not of login scripts
    std::function<void(const std::string&)> line;               ///< one that podshark or ssh wrote on stderr
  };
  /// Starts ssh and returns at once. Ignores SIGPIPE from then on.
  [[nodiscard]] static Result<Channel> open(const FarHost& host, const std::vector<std::string>& words,
                                            Asking asking, Hooks hooks);

  /// Descriptors to be read when they are readable, -1 when they have ended.
  [[nodiscard]] int out() const { return out_open_ ? child_.out() : -1; }
  [[nodiscard]] int errors() const { return errors_open_ ? child_.errors() : -1; }
  /// Reads what is there; hooks are called.
  void read_output();
  void read_errors();
  /// Keeps the far side alive: call it at least every kBeat.
  void beat();
  /// The far side shall end: what it still writes is still output.
  void end() { child_.end_lease(); }
  /// Nothing more will come.
  [[nodiscard]] bool ended() const { return !out_open_; }
  /// Waits for ssh. The far podshark's exit code, or why there was none.
  [[nodiscard]] Result<int> finish();

  static constexpr std::chrono::milliseconds kBeat{2000};

  /// There is a desktop, and a program for ssh's questions (SSH_ASKPASS, else ssh-askpass).
  [[nodiscard]] static bool can_ask();

 private:
  Channel(FarHost host, Child child, Hooks hooks)
      : host_(std::move(host)), child_(std::move(child)), hooks_(std::move(hooks)) {}
  void take(std::span<const std::uint8_t> bytes);

  FarHost host_;
  Child child_;
  Hooks hooks_;
  std::string noise_;  // before the marker
  std::string rest_;   // of stderr, not yet a line
  std::string said_;   // the last of stderr
  bool began_ = false;
  bool out_open_ = true;
  bool errors_open_ = true;
  std::optional<Error> failure_;
};

}  // namespace podshark::extcap::remote
