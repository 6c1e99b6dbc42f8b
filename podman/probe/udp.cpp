// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/probe/udp.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <utility>

namespace podshark::probe {

UdpProbe::UdpProbe(UniqueFd socket, const Endpoint& remote, milliseconds timeout, std::string payload)
    : SocketProbe(std::move(socket), Protocol::udp, remote, timeout),
      payload_(std::move(payload)),
      pause_(timeout / kTries) {}

void UdpProbe::start(TimePoint now) {
  if (const int error = connect(); error != 0) return finish(now, error);
  wait_for(POLLIN);
  send(now);
}

void UdpProbe::send(TimePoint now) {
  const ssize_t n = ::send(fd(), payload_.data(), payload_.size(), MSG_NOSIGNAL);
  // An error that an ICMP message left behind belongs to the datagram before.
  if (n < 0 && errno != EAGAIN && errno != ENOBUFS) {
    const int error = errno;
    read_icmp_errors();
    return finish(now, error);
  }
  if (++sent_ < kTries) wake_at(now + pause_);
}

void UdpProbe::on_ready(TimePoint now) {
  std::array<char, 1500> bytes{};
  const ssize_t n = ::recv(fd(), bytes.data(), bytes.size(), 0);
  if (n < 0) {
    const int error = errno;
    if (error == EINTR) return;
    read_icmp_errors();
    // With EAGAIN only the error queue was meant, for instance by a router's passing complaint.
    if (error != EAGAIN) finish(now, error);
    return;
  }
  answered(now, bytes.data(), static_cast<std::size_t>(n));
  finish(now, 0);
}

}  // namespace podshark::probe
