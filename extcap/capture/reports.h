// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "extcap/announce/inbox.h"
#include "extcap/capture/event_loop.h"
#include "podman/core/process.h"

namespace podshark::extcap {

/// What other processes have to say to a running capture: `podshark probe` and `check` of the same user (the
/// inbox), the watcher of firewall rules, and a probe or check that the toolbar started. Never blocks it, and
/// none of it failing ends it.
class Reports {
 public:
  struct Hooks {
    /// A record of kind probe, check, firewall or drop, not yet trusted: its texts are cleaned, its time is
    /// its own.
    std::function<void(annotate::Event&&)> record;
    std::function<void(const std::string&)> line;  ///< for the log
  };
  /// `loop` must outlive the object.
  Reports(EventLoop& loop, Hooks hooks);
  ~Reports();
  Reports(const Reports&) = delete;
  Reports& operator=(const Reports&) = delete;

  /// Starts watching the rules (`podshark check --watch`), once. `losses`: and what they count.
  void watch_rules(bool losses);
  /// Starts podshark with these arguments; its output goes to the log, line by line. One at a time.
  void run(const std::vector<std::string>& arguments);

 private:
  struct Stream {
    Child child;
    std::string rest;  // of its output, not yet a line
  };
  void start(Stream& stream, const std::vector<std::string>& arguments,
             std::function<void(const std::string&)> take);
  void read(Stream& stream, const std::function<void(const std::string&)>& take);
  void end(Stream& stream);
  void take_rule_line(const std::string& line);
  void deliver(annotate::Event event, bool own);

  EventLoop& loop_;
  Hooks hooks_;
  std::optional<Inbox> inbox_;
  Stream rules_;
  Stream tool_;
};

}  // namespace podshark::extcap
