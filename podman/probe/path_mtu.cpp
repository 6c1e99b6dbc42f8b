// SPDX-License-Identifier: GPL-2.0-or-later
// First a small packet: without its reply nothing can be said. Then the link's own size, which on a healthy
// path is the answer; then what an ICMP error names, else halving the interval.
#include "podman/probe/path_mtu.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

namespace podshark::probe {
namespace {

constexpr std::uint32_t kSmall = 96;
constexpr std::uint32_t kLargest = 65535;
constexpr std::uint32_t kHeaders4 = 20 + 8;
constexpr std::uint32_t kHeaders6 = 40 + 8;
constexpr int kTries = 3;
constexpr milliseconds kLeastPatience{60};

}  // namespace

PathMtuProbe::PathMtuProbe(UniqueFd socket, const Endpoint& remote, milliseconds timeout)
    : SocketProbe(std::move(socket), Protocol::path_mtu, {remote.address, 0}, timeout) {}

void PathMtuProbe::start(TimePoint now) {
  kind_ = echo_socket(fd(), facts().remote);
  const int level = kind_.v4 ? SOL_IP : SOL_IPV6;
  const int probe = kind_.v4 ? IP_PMTUDISC_PROBE : IPV6_PMTUDISC_PROBE;
  (void)::setsockopt(fd(), level, kind_.v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &probe, sizeof(probe));
  if (const int error = connect(); error != 0) return finish(now, error);
  int mtu = 0;
  socklen_t length = sizeof(mtu);
  (void)::getsockopt(fd(), level, kind_.v4 ? IP_MTU : IPV6_MTU, &mtu, &length);
  // The route's size, or less where the kernel has learned of a narrower path.
  high_ = std::clamp<std::uint32_t>(static_cast<std::uint32_t>(std::max(mtu, 0)), kSmall, kLargest);
  size_ = kSmall;
  wait_for(POLLIN);
  send(now);
}

void PathMtuProbe::send(TimePoint now) {
  const std::uint32_t payload = size_ - (kind_.v4 ? kHeaders4 : kHeaders6);
  const std::string packet = echo_request(kind_.v4, kind_.id, ++sequence_, payload);
  sent_at_ = now;
  ++tries_;
  if (::send(fd(), packet.data(), packet.size(), MSG_NOSIGNAL) < 0) {
    const int error = errno;
    if (error == EMSGSIZE) return too_large(now, 0);
    if (error != EAGAIN && error != ENOBUFS) {
      read_icmp_errors();
      return finish(now, error);
    }
  }
  wake_at(now + patience_);
}

void PathMtuProbe::passed(TimePoint now) {
  const auto trip = std::chrono::duration_cast<milliseconds>(now - sent_at_);
  if (low_ == 0) patience_ = std::clamp(trip * 4, kLeastPatience, patience_);
  low_ = size_;
  next(now);
}

void PathMtuProbe::too_large(TimePoint now, std::uint32_t told) {
  high_ = size_ - 1;
  if (told >= kSmall && told < size_ && told > low_) {
    high_ = told;
    tries_ = 0;
    size_ = told;
    return send(now);
  }
  next(now);
}

void PathMtuProbe::next(TimePoint now) {
  const bool first = size_ == kSmall;
  if (low_ == 0) return finish(now, ETIMEDOUT);
  facts().mtu = low_;
  if (low_ >= high_) return finish(now, 0);
  tries_ = 0;
  size_ = first ? high_ : low_ + (high_ - low_ + 1) / 2;
  send(now);
}

void PathMtuProbe::on_ready(TimePoint now) {
  std::string bytes(kLargest + 64, '\0');
  const ssize_t n = ::recv(fd(), bytes.data(), bytes.size(), 0);
  if (n < 0) {
    const int error = errno;
    if (error == EINTR) return;
    const auto before = std::exchange(facts().icmp, std::nullopt);
    read_icmp_errors();
    const std::optional<IcmpError> icmp = facts().icmp;
    if (!icmp) facts().icmp = before;
    if (icmp && icmp->mtu != 0) return too_large(now, icmp->mtu);
    if (error != EAGAIN && error != EMSGSIZE) return finish(now, error);
    if (icmp && low_ == 0) finish(now, EHOSTUNREACH);
    return;
  }
  const auto reply =
      echo_reply({bytes.data(), static_cast<std::size_t>(n)}, kind_.v4, kind_.datagram, kind_.id);
  if (!reply || *reply != sequence_) return;
  answered(now, "", 0);
  passed(now);
}

void PathMtuProbe::timer(TimePoint now) {
  if (tries_ < kTries) return send(now);
  if (low_ != 0) facts().mtu_silent = true;
  too_large(now, 0);
}

void PathMtuProbe::expired(TimePoint now) {
  facts().mtu = low_;
  finish(now, ETIMEDOUT);
}

}  // namespace podshark::probe
