// SPDX-License-Identifier: GPL-2.0-or-later
// Results for people and for programs. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "extcap/probe/runner.h"
#include "podman/model/inventory.h"

namespace podshark::extcap::probing {

/// What many results of the same probe amount to.
class Series {
 public:
  void add(const ProbeResult& result);
  /// True when the last result has another outcome than the one before, or is the first.
  [[nodiscard]] bool changed() const { return changed_; }
  /// Set by the first success after failures: how long they lasted.
  [[nodiscard]] std::optional<double> recovered_after() const { return recovered_after_; }
  /// "10 sent, 9 ok, 1 failed, 0.3/0.5/1.2 ms min/avg/max, longest failure 2.0 s".
  [[nodiscard]] std::string text() const;
  /// kind "probe-summary".
  [[nodiscard]] std::string json(const std::string& from, const std::string& target) const;

 private:
  [[nodiscard]] double longest() const;
  std::uint64_t sent_ = 0;
  std::uint64_t ok_ = 0;
  double least_ms_ = 0;
  double most_ms_ = 0;
  double sum_ms_ = 0;
  std::optional<probe::Outcome> last_;
  std::int64_t last_ns_ = 0;
  std::int64_t failing_since_ns_ = 0;  // 0: not failing
  double longest_s_ = 0;
  bool changed_ = false;
  std::optional<double> recovered_after_;
};

/// "web:80/tcp from host: ok: reached the application (10.88.0.2:80, 0.4 ms)", then one indented line each
/// for evidence, notes and what to do.
[[nodiscard]] std::vector<std::string> render_text(const ProbeResult& result);
/// The first of these lines alone.
[[nodiscard]] std::string render_line(const ProbeResult& result);
/// One line of JSON, docs/FORMAT.md.
[[nodiscard]] std::string render_json(const ProbeResult& result);

/// Rows are sources, columns targets with their ports.
[[nodiscard]] std::vector<std::string> render_matrix(const std::vector<ProbeResult>& results);

/// What a listener of ours in `place` was told.
[[nodiscard]] std::string render_arrival(const probe::Arrival& arrival, const std::string& who);
[[nodiscard]] std::string render_arrival_json(const probe::Arrival& arrival, const std::string& target,
                                              const std::string& protocol, const std::string& who);
/// "container 'db'", "the gateway of network 'lan'", "itself", or empty.
[[nodiscard]] std::string who_is(const IpAddress& address, const model::Container& place,
                                 const model::Inventory& inventory);

/// How the client's address was changed on the way; empty when it was not.
[[nodiscard]] std::string translation(const ProbeResult& result);

[[nodiscard]] std::string milliseconds_text(double ms);
/// "12:00:01.123", local time.
[[nodiscard]] std::string clock_text(std::int64_t time_ns);

}  // namespace podshark::extcap::probing
