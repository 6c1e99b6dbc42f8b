// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "podman/core/fd.h"
#include "podman/core/result.h"

namespace podshark::extcap {

/// epoll(7), one thread. Does not own the descriptors; remove them before closing. A handler may add and
/// remove any descriptor, its own included; a number that is closed and used anew gets no old events.
class EventLoop {
 public:
  using Handler = std::function<void(std::uint32_t events)>;

  [[nodiscard]] static Result<EventLoop> create();

  /// False when the kernel cannot wait for this descriptor (regular files).
  bool add(int fd, std::uint32_t events, Handler handler);
  void change(int fd, std::uint32_t events);
  void remove(int fd);

  /// Waits for at least one event, at most `timeout_ms` (-1: for ever), and runs the handlers of all
  /// descriptors that are ready.
  void wait(int timeout_ms);

 private:
  explicit EventLoop(UniqueFd epoll) : epoll_(std::move(epoll)), events_(64) {}
  struct Watched {
    std::uint32_t serial = 0;
    std::shared_ptr<Handler> handler;
  };
  UniqueFd epoll_;
  std::map<int, Watched> handlers_;
  std::vector<epoll_event> events_;  // room for one of each
  std::uint32_t serial_ = 0;
};

/// A timerfd(2) that fires every `interval` (0: disarmed).
[[nodiscard]] Result<UniqueFd> make_timer(std::chrono::milliseconds interval);
void arm_once(int timer_fd, std::chrono::milliseconds delay);
/// Reads the expiry count away.
void acknowledge(int timer_fd);

}  // namespace podshark::extcap
