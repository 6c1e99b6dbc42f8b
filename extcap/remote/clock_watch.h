// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extcap/capture/event_loop.h"
#include "extcap/remote/channel.h"
#include "extcap/remote/clock_offset.h"
#include "extcap/remote/far_host.h"

namespace podshark::extcap::remote {

/// For sh(1): answers each line of stdin "N" with "N TIME", after a line "ready". TIME is what
/// read_clock() takes. Ends with its stdin, and half a minute after the last line.
[[nodiscard]] std::string clock_script();
/// "1700000000.123456" of bash(1), or "1700000000123456789" of date(1), in nanoseconds; nothing for what is
/// neither, or beyond the year 2190.
[[nodiscard]] std::optional<std::int64_t> read_clock(std::string_view text);

/// Asks a machine's clock through ssh(1) on a connection of its own: forty times at the start, a few times
/// every ten seconds afterwards. Never asks anybody for a password. On an event loop, which must outlive it.
class ClockWatch {
 public:
  struct Hooks {
    /// `there_ns`: what that clock has shown last.
    std::function<void(const ClockOffset&, std::int64_t there_ns)> estimated;
    /// Why there is no (further) estimate; the last call.
    std::function<void(const Error&)> failed;
  };
  ClockWatch(EventLoop& loop, Hooks hooks) : loop_(loop), hooks_(std::move(hooks)) {}
  ~ClockWatch() { close(); }
  ClockWatch(const ClockWatch&) = delete;
  ClockWatch& operator=(const ClockWatch&) = delete;

  /// An error is not told to failed() too.
  [[nodiscard]] Status begin(const FarHost& host);
  /// Ends it over there too. Idempotent.
  void close();

 private:
  [[nodiscard]] Status open();
  void hang_up();
  void on_output();
  void on_line(std::string_view line);
  void on_timer();
  void begin_round(std::size_t samples);
  void ask();
  void conclude();
  void fail(const Error& error);

  EventLoop& loop_;
  Hooks hooks_;
  std::optional<Channel> channel_;
  int out_ = -1;
  int errors_ = -1;
  UniqueFd timer_;
  std::string rest_;  // of its output, not yet a line
  FarHost host_;
  unsigned tries_ = 0;
  std::vector<ClockSample> samples_;
  std::size_t wanted_ = 0;  // 0: between two rounds
  std::int64_t round_began_ = 0;
  std::int64_t sent_ = 0;
  std::uint64_t question_ = 0;
  unsigned unanswered_ = 0;
};

}  // namespace podshark::extcap::remote
