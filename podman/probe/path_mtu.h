// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "podman/probe/icmp.h"
#include "podman/probe/machine.h"

namespace podshark::probe {

/// Searches the largest packet that comes through unfragmented, by echo requests that may not be fragmented
/// (IP_PMTUDISC_PROBE: what the kernel believes about the path is not asked). An ICMP error that names a size
/// is followed at once; a size that gets neither reply nor error three times is taken as too large, which is
/// the black hole that stalls TCP. facts().mtu counts the IP header.
class PathMtuProbe : public SocketProbe {
 public:
  PathMtuProbe(UniqueFd socket, const Endpoint& remote, milliseconds timeout);
  void on_ready(TimePoint now) override;

 protected:
  void start(TimePoint now) override;
  void timer(TimePoint now) override;
  void expired(TimePoint now) override;

 private:
  void send(TimePoint now);
  void passed(TimePoint now);
  void too_large(TimePoint now, std::uint32_t told);
  void next(TimePoint now);
  EchoSocket kind_;
  std::uint32_t low_ = 0;   ///< known to pass
  std::uint32_t high_ = 0;  ///< the largest that may still pass
  std::uint32_t size_ = 0;  ///< under way
  int tries_ = 0;
  std::uint16_t sequence_ = 0;
  TimePoint sent_at_{};
  milliseconds patience_{500};  ///< per try; less once a round trip is known
};

}  // namespace podshark::probe
