// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "podman/probe/machine.h"

namespace podshark::probe {

/// Sends `payload`, three times within the timeout, and waits for any answer or an ICMP error.
class UdpProbe : public SocketProbe {
 public:
  UdpProbe(UniqueFd socket, const Endpoint& remote, milliseconds timeout, std::string payload);
  void on_ready(TimePoint now) override;

 protected:
  void start(TimePoint now) override;
  void timer(TimePoint now) override { send(now); }

 private:
  static constexpr int kTries = 3;
  void send(TimePoint now);
  std::string payload_;
  milliseconds pause_;
  int sent_ = 0;
};

}  // namespace podshark::probe
