// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/event_loop.h"

#include <sys/timerfd.h>

#include <cerrno>

namespace podshark::extcap {
namespace {

itimerspec spec(std::chrono::milliseconds time, bool repeat) {
  const timespec t{static_cast<time_t>(time.count() / 1000),
                   static_cast<long>(time.count() % 1000) * 1000000};
  return itimerspec{repeat ? t : timespec{}, t};
}

}  // namespace

Result<EventLoop> EventLoop::create() {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return os_error(errno, "epoll_create1");
  return EventLoop(std::move(epoll));
}

namespace {

epoll_event event_of(int fd, std::uint32_t serial, std::uint32_t events) {
  epoll_event e{};
  e.events = events;
  e.data.u64 = std::uint64_t{serial} << 32U | static_cast<std::uint32_t>(fd);
  return e;
}

}  // namespace

bool EventLoop::add(int fd, std::uint32_t events, Handler handler) {
  epoll_event e = event_of(fd, ++serial_, events);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &e) != 0) return false;
  handlers_[fd] = {serial_, std::make_shared<Handler>(std::move(handler))};
  if (events_.size() < handlers_.size()) events_.resize(2 * handlers_.size());
  return true;
}

void EventLoop::change(int fd, std::uint32_t events) {
  const auto it = handlers_.find(fd);
  if (it == handlers_.end()) return;
  epoll_event e = event_of(fd, it->second.serial, events);
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &e);
}

void EventLoop::remove(int fd) {
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  handlers_.erase(fd);
}

void EventLoop::wait(int timeout_ms) {
  const int n = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), timeout_ms);
  for (int i = 0; i < n; ++i) {
    const epoll_event e = events_[static_cast<std::size_t>(i)];  // a handler may add others
    const auto it = handlers_.find(static_cast<int>(static_cast<std::uint32_t>(e.data.u64)));
    // Removed by an earlier handler of this round, or its number is another descriptor's by now.
    if (it == handlers_.end() || it->second.serial != e.data.u64 >> 32U) continue;
    const std::shared_ptr<Handler> keep = it->second.handler;
    (*keep)(e.events);
  }
}

Result<UniqueFd> make_timer(std::chrono::milliseconds interval) {
  UniqueFd fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!fd) return os_error(errno, "timerfd_create");
  const itimerspec t = spec(interval, /* repeat= */ true);
  (void)::timerfd_settime(fd.get(), 0, &t, nullptr);
  return fd;
}

void arm_once(int timer_fd, std::chrono::milliseconds delay) {
  const itimerspec t = spec(delay, /* repeat= */ false);
  (void)::timerfd_settime(timer_fd, 0, &t, nullptr);
}

void acknowledge(int timer_fd) {
  std::uint64_t count = 0;
  (void)!::read(timer_fd, &count, sizeof(count));
}

}  // namespace podshark::extcap
