// SPDX-License-Identifier: GPL-2.0-or-later
// What a probe's own socket told: facts only. conclude.h makes a judgement of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "podman/core/ip_address.h"

namespace podshark::probe {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using std::chrono::microseconds;
using std::chrono::milliseconds;

enum class Protocol { tcp, udp, icmp, dns, path_mtu };

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;  ///< 0 for ICMP
  bool operator==(const Endpoint&) const = default;
};

/// An ICMP error that came back for a packet of the probe (IP_RECVERR, ip(7)).
struct IcmpError {
  IpAddress from;
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  std::uint32_t mtu = 0;  ///< of "fragmentation needed" and "packet too big"
};

struct DnsAnswer {
  std::string name;  ///< as asked, search domain included
  int code = -1;     ///< RCODE, -1: no answer
  std::vector<IpAddress> addresses;
};

/// One try. Times are since its begin.
struct Attempt {
  Protocol protocol = Protocol::tcp;
  Endpoint local;  ///< the probe's own end: how its packets are recognised in a capture
  Endpoint remote;
  int error = 0;  ///< errno of the first failure; 0: none. ETIMEDOUT: nothing came within the timeout
  std::optional<IcmpError> icmp;

  bool connected = false;        ///< TCP: the handshake was completed by somebody
  microseconds answer_after{0};  ///< handshake, first answer, or the failure
  bool closed = false;           ///< TCP: end of file after the handshake
  bool reset = false;            ///< TCP: reset after the handshake
  milliseconds watched{0};       ///< TCP: for how long the connection was looked at after the handshake
  bool answered = false;         ///< bytes, an echo or a DNS answer came back
  std::string said;              ///< the first bytes of it, at most kMaxSaid, not cleaned

  DnsAnswer dns;             ///< DNS only
  std::uint32_t mtu = 0;     ///< path MTU: the largest packet that came through, 0 none
  bool mtu_silent = false;   ///< path MTU: larger ones vanished without the ICMP error that should tell
  std::string not_measured;  ///< why there was no try at all
};

inline constexpr std::size_t kMaxSaid = 256;

/// "tcp", "udp", "icmp", "dns", "mtu".
[[nodiscard]] const char* to_string(Protocol protocol);
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

}  // namespace podshark::probe
