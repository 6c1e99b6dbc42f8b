// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "extcap/probe/aim.h"
#include "extcap/probe/source.h"
#include "extcap/worker_client.h"
#include "podman/annotate/codec.h"
#include "podman/core/result.h"
#include "podman/probe/conclude.h"
#include "podman/probe/listener.h"
#include "podman/probe/machine.h"

namespace podshark::extcap::probing {

struct Job {
  Source source;
  Aim aim;
};

/// What became of one job.
struct ProbeResult {
  std::int64_t time_ns = 0;  ///< CLOCK_REALTIME of its begin
  std::string id;            ///< 8 hex digits, also in what the probe says
  std::string from;
  Aim aim;
  probe::Attempt attempt;
  probe::Conclusion conclusion;
  bool listened = false;                  ///< with --listen
  std::optional<probe::Arrival> arrival;  ///< what our own listener saw of it

  [[nodiscard]] bool ok() const { return conclusion.outcome == probe::Outcome::ok; }
  [[nodiscard]] bool measured() const { return conclusion.outcome != probe::Outcome::not_measured; }
};

/// A listener of ours, and what has come to it.
struct OwnListener {
  std::string answer;
  std::unique_ptr<std::vector<probe::Arrival>> arrivals;  ///< at most kMaxArrivals; take them away in time
  std::unique_ptr<probe::Listener> machine;
  static constexpr std::size_t kMaxArrivals = 4096;
};

/// A random number of 8 hex digits.
[[nodiscard]] std::string random_id();

class Runner {
 public:
  /// `stop_fd` becomes readable when everything shall end.
  Runner(WorkerClient& worker, std::chrono::milliseconds timeout, int stop_fd)
      : worker_(worker), timeout_(timeout), stop_fd_(stop_fd) {}

  /// Runs all jobs, up to kAtOnce of them at a time; results in their order. What could not be tried is
  /// Outcome::not_measured; only what forbids all of it (ErrorKind::permission) is an error. With `listener`,
  /// the probes look for its answer.
  [[nodiscard]] Result<std::vector<ProbeResult>> run(const std::vector<Job>& jobs,
                                                     OwnListener* listener = nullptr);

  /// Waits; the listener (may be null) works meanwhile.
  void pause(std::chrono::milliseconds time, OwnListener* listener = nullptr);
  [[nodiscard]] bool stopped() const { return stopped_; }

  /// Is told of each probe when it has begun and when it has ended, as records (records.h).
  void on_record(std::function<void(const annotate::Event&)> tell) { tell_ = std::move(tell); }

 private:
  static constexpr std::size_t kAtOnce = 64;
  static constexpr std::size_t kLoginsAtOnce = 4;  // sshd refuses some beyond ten (MaxStartups)
  Status run_some(const Job* jobs, std::size_t count, OwnListener* listener, std::vector<ProbeResult>& out);
  void run_outside(const Job* jobs, std::size_t count, OwnListener* listener, std::vector<ProbeResult>& out);
  void judge(const OwnListener* listener, probe::Evidence e, ProbeResult& r) const;
  void tell_started(std::vector<ProbeResult>& results,
                    const std::vector<std::unique_ptr<probe::SocketProbe>>& machines) const;
  Status open_all(const Job* jobs, std::size_t count, std::vector<UniqueFd>& fds, std::vector<Error>& errors);
  WorkerClient& worker_;
  std::chrono::milliseconds timeout_;
  int stop_fd_;
  std::function<void(const annotate::Event&)> tell_;
  bool stopped_ = false;
};

/// Asks the source's own name servers, after its hosts file.
class SourceResolver : public Resolver {
 public:
  SourceResolver(WorkerClient& worker, std::chrono::milliseconds timeout, int stop_fd)
      : worker_(worker), timeout_(timeout), stop_fd_(stop_fd) {}
  [[nodiscard]] Result<IpAddress> resolve(const Source& source, const std::string& name) override;

 private:
  WorkerClient& worker_;
  std::chrono::milliseconds timeout_;
  int stop_fd_;
};

/// Opens a listener in `place` on every address (IPv6 too where there is any). ErrorKind::usage when the port
/// is taken.
[[nodiscard]] Result<OwnListener> open_listener(WorkerClient& worker, const Source& place, std::uint16_t port,
                                                bool udp, std::string answer);

}  // namespace podshark::extcap::probing
