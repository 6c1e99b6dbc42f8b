// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/probe/tcp.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <utility>

namespace podshark::probe {

TcpProbe::TcpProbe(UniqueFd socket, const Endpoint& remote, milliseconds timeout, std::string say)
    : SocketProbe(std::move(socket), Protocol::tcp, remote, timeout), say_(std::move(say)) {}

void TcpProbe::start(TimePoint now) {
  const int error = connect();
  if (error == 0) return connection(now);
  if (error != EINPROGRESS) return finish(now, error);
  wait_for(POLLOUT);
}

void TcpProbe::connection(TimePoint now) {
  note_local();  // before the handshake a socket may have no address yet
  facts().connected = true;
  facts().answer_after = since_begin(now);
  connected_at_ = now;
  wait_for(POLLIN);
  if (!say_.empty()) {
    (void)::send(fd(), say_.data(), say_.size(), MSG_NOSIGNAL);  // a failure is read below
  } else {
    wake_at(now + kWatch);
  }
}

void TcpProbe::on_ready(TimePoint now) {
  if (!facts().connected) {
    int error = 0;
    socklen_t length = sizeof(error);
    (void)::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error == 0) return connection(now);
    read_icmp_errors();
    return finish(now, error);
  }
  std::array<char, kMaxSaid> bytes{};
  const ssize_t n = ::recv(fd(), bytes.data(), bytes.size(), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n > 0) {
    answered(now, bytes.data(), static_cast<std::size_t>(n));
  } else {
    facts().closed = n == 0;
    facts().reset = n < 0;
  }
  ended(now);
}

void TcpProbe::expired(TimePoint now) {
  if (!facts().connected) return finish(now, ETIMEDOUT);
  ended(now);
}

void TcpProbe::ended(TimePoint now) {
  facts().watched = std::chrono::duration_cast<milliseconds>(now - connected_at_);
  finish(now, 0);
}

}  // namespace podshark::probe
