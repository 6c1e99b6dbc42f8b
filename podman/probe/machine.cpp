// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/probe/machine.h"

#include <fcntl.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
// After time.h, whose timespec it would define again.
#include <linux/errqueue.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "podman/probe/socket_address.h"

namespace podshark::probe {
namespace {

constexpr int kMaxErrors = 32;  // of the error queue, at a time

int wait_ms(TimePoint now, TimePoint until) {
  if (until <= now) return 0;
  // Rounded up: waking early would only turn round once more.
  const auto ms = std::chrono::duration_cast<milliseconds>(until - now).count() + 1;
  return static_cast<int>(std::min<long>(ms, 60'000));
}

void turn(Machine& m, TimePoint now, bool ready) {
  if (m.done()) return;
  if (ready) m.on_ready(now);
  if (!m.done() && m.wake() <= now) m.on_time(now);
}

IcmpError from_control(const sock_extended_err& e, const sockaddr* offender) {
  IcmpError out;
  out.type = e.ee_type;
  out.code = e.ee_code;
  const bool too_big =
      (e.ee_origin == SO_EE_ORIGIN_ICMP && e.ee_type == ICMP_DEST_UNREACH && e.ee_code == ICMP_FRAG_NEEDED) ||
      (e.ee_origin == SO_EE_ORIGIN_ICMP6 && e.ee_type == ICMP6_PACKET_TOO_BIG);
  if (too_big) out.mtu = e.ee_info;
  out.from = from_sockaddr(offender).address;
  return out;
}

// One message of the error queue. False when it is empty.
bool read_error(int fd, std::optional<IcmpError>& out) {
  std::array<char, 64> data{};
  alignas(cmsghdr) std::array<char, 512> control{};
  iovec part{data.data(), data.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return false;
  for (cmsghdr* h = CMSG_FIRSTHDR(&message); h != nullptr; h = CMSG_NXTHDR(&message, h)) {
    const bool v4 = h->cmsg_level == SOL_IP && h->cmsg_type == IP_RECVERR;
    const bool v6 = h->cmsg_level == SOL_IPV6 && h->cmsg_type == IPV6_RECVERR;
    if ((!v4 && !v6) || h->cmsg_len < CMSG_LEN(sizeof(sock_extended_err))) continue;
    sock_extended_err e{};
    std::memcpy(&e, CMSG_DATA(h), sizeof(e));
    if (e.ee_origin != SO_EE_ORIGIN_ICMP && e.ee_origin != SO_EE_ORIGIN_ICMP6) continue;
    sockaddr_storage offender{};
    const std::size_t rest = h->cmsg_len - CMSG_LEN(sizeof(e));
    std::memcpy(&offender, CMSG_DATA(h) + sizeof(e), std::min(rest, sizeof(offender)));
    out = from_control(e, reinterpret_cast<const sockaddr*>(&offender));
  }
  return true;
}

}  // namespace

bool run(const std::vector<Machine*>& must_end, const std::vector<Machine*>& helpers, TimePoint deadline,
         int stop_fd) {
  std::vector<Machine*> all = must_end;
  all.insert(all.end(), helpers.begin(), helpers.end());
  for (Machine* m : all) m->begin(Clock::now());
  const auto ended = [](const Machine* m) { return m->done(); };
  std::vector<Machine::Interest> interests;
  std::vector<pollfd> waiting;
  std::vector<std::size_t> owners;
  for (;;) {
    TimePoint now = Clock::now();
    if (std::all_of(must_end.begin(), must_end.end(), ended) || now >= deadline) return true;
    waiting.assign(1, {stop_fd, POLLIN, 0});
    owners.assign(1, all.size());
    TimePoint until = deadline;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i]->done()) continue;
      until = std::min(until, all[i]->wake());
      interests.clear();
      all[i]->interests(interests);
      for (const Machine::Interest& want : interests) {
        waiting.push_back({want.fd, want.events, 0});
        owners.push_back(i);
      }
    }
    if (::poll(waiting.data(), waiting.size(), wait_ms(now, until)) < 0 && errno != EINTR) return true;
    if (waiting.front().revents != 0) return false;
    now = Clock::now();
    std::vector<bool> ready(all.size(), false);
    for (std::size_t i = 1; i < waiting.size(); ++i) {
      if (waiting[i].revents != 0) ready[owners[i]] = true;
    }
    for (std::size_t i = 0; i < all.size(); ++i) turn(*all[i], now, ready[i]);
  }
}

SocketProbe::SocketProbe(UniqueFd socket, Protocol protocol, const Endpoint& remote, milliseconds timeout)
    : socket_(std::move(socket)), timeout_(timeout) {
  attempt_.protocol = protocol;
  attempt_.remote = remote;
}

void SocketProbe::begin(TimePoint now) {
  begin_ = now;
  deadline_ = wake_ = now + timeout_;
  const int flags = ::fcntl(fd(), F_GETFL);
  if (flags < 0 || ::fcntl(fd(), F_SETFL, flags | O_NONBLOCK) != 0) return finish(now, errno);
  const int on = 1;
  if (attempt_.remote.address.is_v4()) {
    (void)::setsockopt(fd(), SOL_IP, IP_RECVERR, &on, sizeof(on));
  } else {
    (void)::setsockopt(fd(), SOL_IPV6, IPV6_RECVERR, &on, sizeof(on));
  }
  start(now);
}

void SocketProbe::on_time(TimePoint now) {
  if (now >= deadline_) return expired(now);
  wake_ = deadline_;
  timer(now);
}

void SocketProbe::interests(std::vector<Interest>& out) const {
  out.push_back({socket_.get(), events_});
}

void SocketProbe::wake_at(TimePoint time) {
  wake_ = std::min(time, deadline_);
}

microseconds SocketProbe::since_begin(TimePoint now) const {
  return std::chrono::duration_cast<microseconds>(now - begin_);
}

int SocketProbe::connect() {
  const SocketAddress to = to_sockaddr(attempt_.remote);
  const int error = ::connect(fd(), to.get(), to.length) == 0 ? 0 : errno;
  note_local();
  return error;
}

void SocketProbe::note_local() {
  sockaddr_storage name{};
  socklen_t length = sizeof(name);
  if (::getsockname(fd(), reinterpret_cast<sockaddr*>(&name), &length) == 0)
    attempt_.local = from_sockaddr(reinterpret_cast<const sockaddr*>(&name));
}

void SocketProbe::read_icmp_errors() {
  for (int i = 0; i < kMaxErrors && read_error(fd(), attempt_.icmp); ++i) {
  }
}

void SocketProbe::answered(TimePoint now, const char* bytes, std::size_t size) {
  if (!attempt_.answered && !attempt_.connected) attempt_.answer_after = since_begin(now);
  attempt_.answered = true;
  const std::size_t room = kMaxSaid - std::min(kMaxSaid, attempt_.said.size());
  attempt_.said.append(bytes, std::min(size, room));
}

void SocketProbe::finish(TimePoint now, int error) {
  if (done_) return;
  attempt_.error = error;
  if (!attempt_.connected && !attempt_.answered) attempt_.answer_after = since_begin(now);
  done_ = true;
}

}  // namespace podshark::probe
