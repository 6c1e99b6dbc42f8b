// SPDX-License-Identifier: GPL-2.0-or-later
// One network namespace being traced, by a child that has entered it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "extcap/trace/loggers.h"
#include "extcap/worker_client.h"
#include "podman/core/result.h"
#include "podman/trace/message.h"
#include "podman/trace/own_table.h"

namespace podshark::extcap::tracing {

/// What a tracer saw.
struct Recording {
  std::vector<trace::Event> events;
  std::map<std::uint32_t, std::string> links;  ///< names by index, not cleaned
  std::uint64_t overruns = 0;                  ///< the kernel had more than it could deliver (ENOBUFS)
  std::uint64_t left_out = 0;                  ///< messages beyond what we keep
  std::string no_legacy;                       ///< why legacy rules could not be traced
  bool restored = true;                        ///< the loggers are as before
  bool whole = false;                          ///< the child came to its regular end
};

/// The child holds nft (whose table vanishes with it), the sockets and the duty to set the loggers back. Its
/// stdin, so to speak, is a socket that the kernel closes however we end: then it tidies up and ends. If the
/// child itself is killed, finish() sets the loggers back.
class Tracer {
 public:
  Tracer(Tracer&& other) noexcept { take(other); }
  Tracer& operator=(Tracer&&) = delete;
  ~Tracer();

  /// Returns when the table is in place. Call it single-threaded. ErrorKind::permission, unsupported, …
  [[nodiscard]] static Result<Tracer> start(const NetnsPlace& place, const std::string& table,
                                            const std::vector<trace::Selector>& selectors,
                                            const Loggers& loggers);
  /// Ends it: the table is gone and the loggers are set back when this returns.
  [[nodiscard]] Recording finish();

 private:
  Tracer() = default;
  void take(Tracer& other);
  void end(Recording& out);
  NetnsPlace place_;
  Loggers loggers_;
  pid_t pid_ = 0;
  UniqueFd channel_;
  std::string no_legacy_;
};

}  // namespace podshark::extcap::tracing
