// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/netns_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "podman/discover/rootless_netns.h"

namespace podshark::extcap {
namespace {

// Mounting does not tell inotify anything: podman does it microseconds after it made the file.
constexpr std::chrono::milliseconds kRetry{2};
constexpr int kAttempts = 250;

}  // namespace

NetnsWatch::NetnsWatch(EventLoop& loop, Callback on_netns, std::function<void()> on_rootful)
    : loop_(loop),
      on_netns_(std::move(on_netns)),
      on_rootful_(std::move(on_rootful)),
      user_(discover::calling_user()) {
  inotify_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify_) failure_ = errno;
  if (Result<UniqueFd> timer = make_timer(std::chrono::milliseconds(0))) retry_ = std::move(*timer);
  loop_.add(inotify_.get(), EPOLLIN, [this](std::uint32_t) { on_files(); });
  loop_.add(retry_.get(), EPOLLIN, [this](std::uint32_t) {
    acknowledge(retry_.get());
    on_retry();
  });
}

NetnsWatch::~NetnsWatch() {
  loop_.remove(inotify_.get());
  loop_.remove(retry_.get());
}

void NetnsWatch::start() {
  const auto watch = [this](const discover::User& user) {
    return ::inotify_add_watch(inotify_.get(), discover::netns_directory(user).c_str(), IN_CREATE);
  };
  if (watched_ < 0) watched_ = watch(user_);
  if (rootful_ < 0 && user_.uid != 0) rootful_ = watch(discover::User{});
}

void NetnsWatch::on_files() {
  alignas(inotify_event) std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t n = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(n);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof(event));
      const bool rootful = event.wd == rootful_;
      if ((event.mask & IN_IGNORED) != 0) (rootful ? rootful_ : watched_) = -1;  // the directory is gone
      const std::string name = event.len > 0 ? buffer.data() + at + sizeof(event) : "";
      if (name.starts_with("netns-") && rootful) on_rootful_();
      if (name.starts_with("netns-") && !rootful) made_.emplace(name, 0);
      at += sizeof(event) + event.len;
    }
  }
  on_retry();
}

void NetnsWatch::on_retry() {
  for (auto it = made_.begin(); it != made_.end();) {
    Result<UniqueFd> netns = discover::open_netns_file(user_, it->first);
    if (netns) on_netns_(std::move(*netns));
    it = netns || ++it->second > kAttempts ? made_.erase(it) : std::next(it);
  }
  if (!made_.empty()) arm_once(retry_.get(), kRetry);
}

}  // namespace podshark::extcap
