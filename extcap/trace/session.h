// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <iosfwd>
#include <optional>
#include <string>

#include "extcap/probe/session.h"
#include "podman/core/result.h"

namespace podshark::extcap::tracing {

struct TraceOptions {
  std::string from = "host";
  std::string target;
  bool yes = false;  ///< consent was given
  bool json = false;
  std::chrono::milliseconds timeout{3000};
  std::optional<std::chrono::milliseconds> wait = {};  ///< probe nothing, but look at what others send
};

/// Asks for consent on `err` and standard input, traces, probes, prints. Afterwards nothing is left, whatever
/// happened. ErrorKind::usage without consent, permission when no namespace may be traced.
[[nodiscard]] Result<probing::Verdict> run_trace(const TraceOptions& options, std::ostream& out,
                                                 std::ostream& err);

}  // namespace podshark::extcap::tracing
