// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace podshark::diagnose {

/// info: so by design, worth knowing. warning: wrong, or in the way of what was asked, but something works.
/// error: a connection that should work can not.
enum class Severity : std::uint8_t { info, warning, error };

/// One thing that is wrong. Texts may hold names chosen by strangers: renderers clean them.
struct Finding {
  std::string id;  ///< of its check: "fw.rules-flushed"
  Severity severity = Severity::error;
  std::string subject;                ///< "container web", "network lan", "the host"
  std::string what;                   ///< one sentence without a full stop
  std::vector<std::string> evidence;  ///< what was seen, one line each
  std::vector<std::string> fix;       ///< commands, or steps, in order
  /// How sure the evidence makes it: 100 is proof (the very rule or process that is missing), 50 a likely
  /// reading.
  int certainty = 100;
  std::string follows_from;  ///< id of the finding that this is a consequence of
  bool operator==(const Finding&) const = default;
};
[[nodiscard]] inline Finding finding(const char* id, Severity severity, std::string subject,
                                     std::string what) {
  Finding f;
  f.id = id;
  f.severity = severity;
  f.subject = std::move(subject);
  f.what = std::move(what);
  return f;
}
using Findings = std::vector<Finding>;

}  // namespace podshark::diagnose
