// SPDX-License-Identifier: GPL-2.0-or-later
// Wireshark's main thread opens one control pipe of each toolbar interface without O_NONBLOCK. Whoever exits
// before that, be it by an error, a signal or a crash, freezes the window for good; and who closes the pipes
// while Wireshark still has them makes one of its threads spin, or kills it with SIGPIPE when a control is
// touched. So the pipes belong to a process of their own, whose only work is to hold them until Wireshark has
// let go, and to pass messages on: it never waits for anything else. podshark is then free to end at any
// time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "extcap/control/message.h"
#include "podman/core/fd.h"

namespace podshark::extcap {

/// Longest message for Wireshark: what a pipe takes whole or not at all, so that none is ever torn.
inline constexpr std::size_t kMaxToWireshark = 4096;
/// Longest message from Wireshark that is passed on; longer ones are not from our controls.
inline constexpr std::size_t kMaxFromWireshark = 4096;

/// A fifo of Wireshark's, which this user or root has made; else none. Others may put one into its place in
/// /tmp.
[[nodiscard]] UniqueFd open_wiresharks_fifo(const std::string& path, int flags);

struct KeeperPipes {
  std::string in_path;  ///< Wireshark writes
  std::string out_path;
  UniqueFd in;           ///< non-blocking
  UniqueFd out;          ///< open in both directions: never EPIPE, never EOF at the other end
  UniqueFd fifo;         ///< of the packets, O_PATH: it may be unlinked any time; or none
  UniqueFd program;      ///< SOCK_SEQPACKET, one message each, non-blocking: the capturing process
  UniqueFd program_pid;  ///< pidfd(2)
  UniqueFd wireshark_pid;
  std::uint8_t log_control = 0;  ///< where to tell that messages were lost
};

class Keeper {
 public:
  /// `patience`: how long Wireshark may take to open its pipe after the program has ended. Then the pipe is
  /// unlinked, so that opening it fails instead of waiting.
  Keeper(KeeperPipes pipes, std::chrono::milliseconds patience);

  /// Returns when Wireshark is gone, or when the program has ended and Wireshark has closed its pipe (or will
  /// never open it).
  void run() noexcept;
  /// For a program that could not start a keeper: returns as soon as it may exit without harm.
  void run_until_connected();

 private:
  using Clock = std::chrono::steady_clock;
  enum class Link { waiting, connected, released };

  void turn();
  [[nodiscard]] int timeout_ms() const;
  void read_wireshark();
  void reopen();
  void read_program();
  void to_wireshark(const std::string& message);
  [[nodiscard]] bool write_out(const std::string& message);
  void program_ended();
  void release_dumpcap();
  void give_up();

  KeeperPipes pipes_;
  std::chrono::milliseconds patience_;
  ControlDecoder decoder_;
  Link link_ = Link::waiting;
  bool program_gone_ = false;
  bool wireshark_gone_ = false;
  bool given_up_ = false;
  bool expired_ = false;
  Clock::time_point deadline_{};
  std::uint64_t lost_ = 0;
};

}  // namespace podshark::extcap
