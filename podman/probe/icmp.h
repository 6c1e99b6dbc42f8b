// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "podman/probe/machine.h"

namespace podshark::probe {

/// An echo request without IP header, checksum included for IPv4 (IPv6's is the kernel's). A datagram socket
/// puts its own number into `id`.
[[nodiscard]] std::string echo_request(bool v4, std::uint16_t id, std::uint16_t sequence,
                                       std::size_t payload_bytes);
/// The sequence number when `packet` is an echo reply to `id` (any when `datagram`: the kernel has sorted
/// them). Raw IPv4 sockets deliver the IP header too.
[[nodiscard]] std::optional<std::uint16_t> echo_reply(std::string_view packet, bool v4, bool datagram,
                                                      std::uint16_t id);

/// What echo probes need to know of their socket.
struct EchoSocket {
  bool v4 = true;
  bool datagram = true;  ///< SOCK_DGRAM, else SOCK_RAW
  std::uint16_t id = 0;
};
[[nodiscard]] EchoSocket echo_socket(int fd, const Endpoint& remote);

/// One echo request, sent again every second until the timeout.
class IcmpProbe : public SocketProbe {
 public:
  IcmpProbe(UniqueFd socket, const Endpoint& remote, milliseconds timeout);
  void on_ready(TimePoint now) override;

 protected:
  void start(TimePoint now) override;
  void timer(TimePoint now) override { send(now); }

 private:
  void send(TimePoint now);
  EchoSocket kind_;
  std::uint16_t sequence_ = 0;
};

}  // namespace podshark::probe
