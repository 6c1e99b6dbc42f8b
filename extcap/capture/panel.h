// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "extcap/capture/event_loop.h"
#include "extcap/control/control.h"
#include "podman/annotate/codec.h"

namespace podshark::extcap {

/// "dropped 12 (0.4 %)" of what a stats event counted.
[[nodiscard]] std::string loss_text(const annotate::Event& stats);

/// Arguments of podshark for a target as typed: "web:80", or "db > web:80" to ask from db. Without a port a
/// probe tries all that the container publishes or listens on. Empty without any target.
[[nodiscard]] std::vector<std::string> tool_arguments(const RunTool& tool, const std::string& default_target);

/// Joins a session to the toolbar: commands become calls, events become lines of the log, totals the loss
/// counter. Does nothing without a toolbar.
class Panel {
 public:
  struct Hooks {
    std::function<void(const std::string& text)> mark;
    std::function<void(bool paused)> pause_following;
    std::function<void(const std::vector<std::string>& arguments)> run;  ///< podshark, for the log
    std::function<std::string()> default_target;                         ///< of probes and checks
    std::function<annotate::Event()> statistics;  ///< a stats event with the totals of all links
  };

  /// `control` may be null. Listens on `loop` until destroyed.
  Panel(Control* control, EventLoop& loop, Hooks hooks);
  ~Panel();
  Panel(const Panel&) = delete;
  Panel& operator=(const Panel&) = delete;

  /// To be called with each record that is written; stats and inventories are not shown.
  void show(const annotate::Event& event);
  void line(const std::string& text);
  /// Once a second, with the totals of all links.
  void tick(const annotate::Event& stats);

 private:
  void on_command();
  void explain_loss();
  void run_tool(const RunTool& tool);

  Control* control_;
  EventLoop& loop_;
  Hooks hooks_;
  std::uint64_t told_ = 0;  // lost packets that the log has told
  unsigned quiet_ = 0;      // seconds until it may tell again
};

}  // namespace podshark::extcap
