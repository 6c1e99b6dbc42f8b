// SPDX-License-Identifier: GPL-2.0-or-later
// Probes as small state machines on non-blocking sockets, all of them driven by one poll(2) loop.
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

#include "podman/core/fd.h"
#include "podman/probe/attempt.h"

namespace podshark::probe {

/// A probe under way, or a listener. The loop calls begin() once, then on_ready() when its descriptor is, and
/// on_time() when the time of wake() has come, until done(). Nothing here blocks.
class Machine {
 public:
  Machine() = default;
  virtual ~Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  virtual void begin(TimePoint now) = 0;
  virtual void on_ready(TimePoint now) = 0;
  virtual void on_time(TimePoint now) = 0;
  [[nodiscard]] virtual bool done() const = 0;
  [[nodiscard]] virtual TimePoint wake() const = 0;  ///< at the latest
  /// Descriptors to wait for, and what for (poll(2)); -1: none.
  struct Interest {
    int fd = -1;
    short events = 0;
  };
  virtual void interests(std::vector<Interest>& out) const = 0;
};

/// Drives all machines until each of `must_end` is done (the others only help), at most until `deadline`,
/// whose passing is no error: machines have deadlines of their own, this one is the last resort. Ends at once
/// when `stop_fd` (-1: none) becomes readable. Returns false then.
bool run(const std::vector<Machine*>& must_end, const std::vector<Machine*>& helpers, TimePoint deadline,
         int stop_fd);

/// A probe on a socket it is given, with one hard deadline. The socket stays open until the object's end, so
/// that the state it left in the kernel's tables can be looked at first.
class SocketProbe : public Machine {
 public:
  SocketProbe(UniqueFd socket, Protocol protocol, const Endpoint& remote, milliseconds timeout);

  void begin(TimePoint now) override;
  void on_time(TimePoint now) override;
  [[nodiscard]] bool done() const override { return done_; }
  [[nodiscard]] TimePoint wake() const override { return wake_; }
  void interests(std::vector<Interest>& out) const override;
  [[nodiscard]] const Attempt& attempt() const { return attempt_; }

 protected:
  virtual void start(TimePoint now) = 0;
  /// The time set by wake_at() has come, but not the deadline.
  virtual void timer(TimePoint now) { finish(now, ETIMEDOUT); }
  /// The deadline has come. The default is a timeout.
  virtual void expired(TimePoint now) { finish(now, ETIMEDOUT); }

  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] Attempt& facts() { return attempt_; }
  void wait_for(short events) { events_ = events; }
  void wake_at(TimePoint time);
  [[nodiscard]] microseconds since_begin(TimePoint now) const;
  /// Connects and notes the local end. Returns 0, EINPROGRESS or an errno.
  int connect();
  void note_local();
  /// Takes what waits in the socket's error queue into facts().icmp.
  void read_icmp_errors();
  void answered(TimePoint now, const char* bytes, std::size_t size);
  void finish(TimePoint now, int error);

 private:
  UniqueFd socket_;
  Attempt attempt_;
  milliseconds timeout_;
  TimePoint begin_{};
  TimePoint deadline_{};
  TimePoint wake_{};
  short events_ = 0;
  bool done_ = false;
};

}  // namespace podshark::probe
