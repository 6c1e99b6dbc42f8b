// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "extcap/control/message.h"
#include "extcap/control/toolbar.h"
#include "podman/core/fd.h"
#include "podman/core/result.h"

namespace podshark::extcap {

/// The user wants a record now.
struct Mark {
  std::string text;  ///< one clean line, not empty
};
/// Whether containers and links that appear are to be left out.
struct PauseFollowing {
  bool paused = false;
};
/// The user asks which link lost packets.
struct ExplainLoss {};
/// The user wants a probe or a check.
struct RunTool {
  bool probe = false;
  std::string target;  ///< as typed, one clean line, may be empty
};
using ToolbarCommand = std::variant<Mark, PauseFollowing, ExplainLoss, RunTool>;

/// The capturing process's end of Wireshark's toolbar. Without a toolbar (tshark, the command line, Wireshark
/// before 4.4) fd() is -1 and everything else does nothing. Nothing here waits, and the process may end at
/// any time: the pipes belong to a keeper process (keeper.h).
class Control {
 public:
  Control() = default;

  /// First act of a capture, before anything slow, while the process has one thread. `in_path` and `out_path`
  /// are Wireshark's --extcap-control-in and -out, empty without toolbar. An error (no process could be
  /// started) comes only after Wireshark may be left alone.
  [[nodiscard]] static Result<Control> open(const std::string& in_path, const std::string& out_path,
                                            const std::string& fifo_path);

  /// Readable when next() has something; -1 without toolbar.
  [[nodiscard]] int fd() const { return socket_.get(); }
  /// Wireshark, or its interest in the toolbar, has gone: next() will never have anything again.
  [[nodiscard]] bool ended() const { return ended_; }

  /// What the user did; empty when that is all. Values that Wireshark sends before the capture runs are
  /// settings: they yield PauseFollowing but never a Mark.
  [[nodiscard]] std::optional<ToolbarCommand> next();

  /// One line for the toolbar's log; the time is put in front. Lost when Wireshark does not read.
  void log(std::string_view line);
  /// Text of the loss counter; sent when it differs from the last one.
  void show_loss(std::string_view text);

 private:
  explicit Control(UniqueFd socket) : socket_(std::move(socket)) {}
  std::optional<ToolbarCommand> command(const ControlMessage& message);
  void send(ToolbarControl control, ControlVerb verb, std::string_view payload);

  UniqueFd socket_;
  bool running_ = false;
  bool ended_ = false;
  std::string loss_{kNoLoss};
  std::string target_;  // as typed last
  unsigned lines_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace podshark::extcap
