// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "extcap/remote/line.h"
#include "podman/core/process.h"
#include "podman/core/result.h"

namespace podshark::extcap::remote {

/// A script on another machine, under a lease (line.h), which ends with this object within seconds however it
/// ends.
/// One thread; the caller polls.
class Channel {
 public:
  struct Hooks {
    std::function<void(std::span<const std::uint8_t>)> output;  ///< of the script, not of login scripts
    std::function<void(const std::string&)> line;               ///< one that it, or ssh, wrote on stderr
  };
  /// Starts the line's program and returns at once. Ignores SIGPIPE from then on.
  [[nodiscard]] static Result<Channel> open(Line line, Hooks hooks);

  /// Descriptors to be read when they are readable, -1 when they have ended.
  [[nodiscard]] int out() const { return out_open_ ? child_.out() : -1; }
  [[nodiscard]] int errors() const { return errors_open_ ? child_.errors() : -1; }
  /// Reads what is there; hooks are called.
  void read_output();
  void read_errors();
  /// Keeps the far side alive: call it at least every kBeat.
  void beat() { say("."); }
  /// On the script's stdin; what a full pipe does not take is lost.
  void say(std::string_view text);
  /// The far side shall end: what it still writes is still output.
  void end() { child_.end_lease(); }
  /// The marker has come: the script runs.
  [[nodiscard]] bool began() const { return began_; }
  /// The far side writes something at least as often as the beats come, so that silence tells.
  void expect_answers() { answers_ = true; }
  /// Nobody reads at present, and so nothing comes.
  void excuse() { heard_ = Clock::now(); }
  /// Nothing has come for as long as the line allows.
  [[nodiscard]] bool silent() const {
    return answers_ && out_open_ && line_.silence.count() > 0 && Clock::now() - heard_ >= line_.silence;
  }
  /// What that means.
  [[nodiscard]] Error lost() const;
  /// Nothing more will come.
  [[nodiscard]] bool ended() const { return !out_open_; }
  /// Waits for the program. The script's exit code, which is kNotThere only when it has not begun; or why
  /// there was none.
  [[nodiscard]] Result<int> finish();

  static constexpr std::chrono::milliseconds kBeat{2000};

 private:
  using Clock = std::chrono::steady_clock;
  Channel(Line line, Child child, Hooks hooks)
      : line_(std::move(line)), child_(std::move(child)), hooks_(std::move(hooks)) {}
  void take(std::span<const std::uint8_t> bytes);
  void take_answers();

  Line line_;
  Child child_;
  Hooks hooks_;
  std::string noise_;  // before the marker
  std::string rest_;   // of stderr, not yet a line
  std::string said_;   // the last of stderr
  bool began_ = false;
  bool out_open_ = true;
  bool errors_open_ = true;
  bool answers_ = false;
  Clock::time_point heard_ = Clock::now();
  std::optional<Error> failure_;
};

}  // namespace podshark::extcap::remote
