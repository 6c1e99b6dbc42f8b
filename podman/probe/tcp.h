// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "podman/probe/machine.h"

namespace podshark::probe {

/// How long a connection is looked at before it counts as kept open. A rootless forwarder accepts first and
/// tries the container afterwards: its end of file came within this time on every version tried.
inline constexpr milliseconds kWatch{400};

/// Connects, then waits kWatch for bytes, an end of file or a reset. `say` is sent first, and with it the
/// wait is for an answer to it, as long as the timeout allows.
class TcpProbe : public SocketProbe {
 public:
  TcpProbe(UniqueFd socket, const Endpoint& remote, milliseconds timeout, std::string say = {});
  void on_ready(TimePoint now) override;

 protected:
  void start(TimePoint now) override;
  void timer(TimePoint now) override { ended(now); }
  void expired(TimePoint now) override;

 private:
  void connection(TimePoint now);
  void ended(TimePoint now);
  std::string say_;
  TimePoint connected_at_{};
};

}  // namespace podshark::probe
