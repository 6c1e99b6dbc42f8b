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
/// /run/netns. Independent of podman's events.
class NetnsWatch {
 public:
  using Callback = std::function<void(UniqueFd netns)>;

  /// `loop` must outlive the object.
  NetnsWatch(EventLoop& loop, Callback on_netns);
  ~NetnsWatch();
  NetnsWatch(const NetnsWatch&) = delete;
  NetnsWatch& operator=(const NetnsWatch&) = delete;

  /// Begins to watch, also when the directory has come into being since the last call.
  void start();

 private:
  void on_files();
  void on_retry();

  EventLoop& loop_;
  Callback on_netns_;
  discover::User user_;
  UniqueFd inotify_;
  UniqueFd retry_;
  int watched_ = -1;
  std::map<std::string, int> made_;  // names whose namespace is not mounted yet → attempts
};

}  // namespace podshark::extcap
