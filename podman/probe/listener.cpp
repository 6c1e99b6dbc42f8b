// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/probe/listener.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include "podman/core/clock.h"
#include "podman/probe/socket_address.h"

namespace podshark::probe {
namespace {

constexpr int kMaxPerTurn = 64;  // arrivals; the rest waits for the next turn

Endpoint name_of(int fd, int (*ask)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage name{};
  socklen_t length = sizeof(name);
  if (ask(fd, reinterpret_cast<sockaddr*>(&name), &length) != 0) return {};
  return from_sockaddr(reinterpret_cast<const sockaddr*>(&name));
}

int own_name(int fd, sockaddr* name, socklen_t* length) {
  return ::getsockname(fd, name, length);
}

}  // namespace

Listener::Listener(UniqueFd socket, bool udp, std::string answer, Handler handler)
    : socket_(std::move(socket)), udp_(udp), answer_(std::move(answer)), handler_(std::move(handler)) {}

void Listener::begin(TimePoint /*now*/) {
  const int flags = ::fcntl(socket_.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket_.get(), F_SETFL, flags | O_NONBLOCK) != 0) done_ = true;
}

void Listener::interests(std::vector<Interest>& out) const {
  out.push_back({socket_.get(), POLLIN});
  for (const auto& o : open_) out.push_back({o->fd.get(), POLLIN});
}

TimePoint Listener::wake() const {
  TimePoint out = TimePoint::max();
  for (const auto& o : open_) out = std::min(out, o->until);
  return out;
}

void Listener::on_ready(TimePoint now) {
  if (udp_) return receive_datagrams();
  std::erase_if(open_, [&](const auto& o) { return !read_from(*o); });
  accept_all(now);
}

// One that is silent is reported, and kept until it ends or room is needed.
void Listener::on_time(TimePoint now) {
  for (const auto& o : open_) {
    if (o->until > now) continue;
    report(*o);
    o->until = TimePoint::max();
  }
}

void Listener::accept_all(TimePoint now) {
  for (int i = 0; i < kMaxPerTurn; ++i) {
    auto o = std::make_unique<Open>();
    sockaddr_storage from{};
    socklen_t length = sizeof(from);
    o->fd.reset(
        ::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&from), &length, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!o->fd) return;
    o->arrival = {now_ns(),
                  from_sockaddr(reinterpret_cast<const sockaddr*>(&from)),
                  name_of(o->fd.get(), own_name),
                  {}};
    o->until = now + kPatience;
    (void)::send(o->fd.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
    if (open_.size() == kMaxOpen) {
      report(*open_.front());
      open_.erase(open_.begin());
    }
    open_.push_back(std::move(o));
  }
}

// False when the connection is over.
bool Listener::read_from(Open& o) {
  std::array<char, kMaxSaid> bytes{};
  const ssize_t n = ::recv(o.fd.get(), bytes.data(), bytes.size(), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (n > 0 && o.arrival.said.empty()) o.arrival.said.assign(bytes.data(), static_cast<std::size_t>(n));
  report(o);
  return n > 0;
}

void Listener::report(Open& o) {
  if (!std::exchange(o.reported, true)) handler_(o.arrival);
}

void Listener::report_all() {
  for (const auto& o : open_) {
    if (!o->reported && read_from(*o)) report(*o);
  }
}

void Listener::receive_datagrams() {
  for (int i = 0; i < kMaxPerTurn && !done_; ++i) {
    std::array<char, 2048> bytes{};
    sockaddr_storage from{};
    socklen_t length = sizeof(from);
    auto* name = reinterpret_cast<sockaddr*>(&from);
    const ssize_t n = ::recvfrom(socket_.get(), bytes.data(), bytes.size(), 0, name, &length);
    if (n < 0) return;
    (void)::sendto(socket_.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL, name, length);
    const auto size = std::min(static_cast<std::size_t>(n), kMaxSaid);
    handler_({now_ns(), from_sockaddr(name), name_of(socket_.get(), own_name), {bytes.data(), size}});
  }
}

}  // namespace podshark::probe
