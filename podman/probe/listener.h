// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "podman/probe/machine.h"

namespace podshark::probe {

/// One connection or datagram that came in.
struct Arrival {
  std::int64_t time_ns = 0;  ///< CLOCK_REALTIME
  Endpoint from;             ///< as the container sees the client
  Endpoint to;               ///< what it was sent to; the port alone for UDP
  std::string said;          ///< its first bytes, at most kMaxSaid, not cleaned
};

/// The other half of a probe: takes what comes to a port, answers it with one line and reports it. Not done
/// by itself. A connection is kept until it says something or ends, at most kMaxOpen at a time; then the
/// eldest goes. A TCP arrival is reported once its first bytes or its end came, or after kPatience.
class Listener : public Machine {
 public:
  using Handler = std::function<void(const Arrival&)>;
  static constexpr std::size_t kMaxOpen = 64;
  static constexpr milliseconds kPatience{1000};

  /// `socket`: bound, and listening if it is TCP.
  Listener(UniqueFd socket, bool udp, std::string answer, Handler handler);

  void begin(TimePoint now) override;
  void on_ready(TimePoint now) override;
  void on_time(TimePoint now) override;
  [[nodiscard]] bool done() const override { return done_; }
  [[nodiscard]] TimePoint wake() const override;
  void interests(std::vector<Interest>& out) const override;
  /// Reports what has been accepted, whether it has said something or not.
  void report_all();

 private:
  struct Open {
    UniqueFd fd;
    Arrival arrival;
    TimePoint until;
    bool reported = false;
  };
  void accept_all(TimePoint now);
  void receive_datagrams();
  bool read_from(Open& open);
  void report(Open& open);
  UniqueFd socket_;
  bool udp_;
  std::string answer_;
  Handler handler_;
  std::vector<std::unique_ptr<Open>> open_;
  bool done_ = false;
};

}  // namespace podshark::probe
