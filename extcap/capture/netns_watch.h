// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <map>
#include <string>

#include "extcap/capture/event_loop.h"
#include "podman/core/fd.h"
#include "podman/discover/storage.h"

namespace podshark::extcap {

/// Tells of every network namespace that podman makes for a container of the calling user, before anything
/// runs in it: inotify(7) on the directory in which podman makes a file for each, for rootful ones
/// /run/netns. Independent of podman's events. An ordinary user is told of rootful ones too, of whose
/// namespaces the installed worker may give him sockets; but these are not his to open, and `on_rootful`
/// comes before there is one.
class NetnsWatch {
 public:
  using Callback = std::function<void(UniqueFd netns)>;

  /// `loop` must outlive the object.
  NetnsWatch(EventLoop& loop, Callback on_netns, std::function<void()> on_rootful);
  ~NetnsWatch();
  NetnsWatch(const NetnsWatch&) = delete;
  NetnsWatch& operator=(const NetnsWatch&) = delete;

  /// Begins to watch, also when the directory has come into being since the last call.
  void start();
  /// Why nothing can be watched, an errno of inotify_init1(2); 0: it can.
  [[nodiscard]] int failure() const { return failure_; }

 private:
  void on_files();
  void on_retry();

  EventLoop& loop_;
  Callback on_netns_;
  std::function<void()> on_rootful_;
  discover::User user_;
  UniqueFd inotify_;
  int failure_ = 0;
  UniqueFd retry_;
  int watched_ = -1;
  int rootful_ = -1;                 // not for root, for whom they are his own
  std::map<std::string, int> made_;  // names whose namespace is not mounted yet → attempts
};

}  // namespace podshark::extcap
