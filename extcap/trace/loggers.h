// SPDX-License-Identifier: GPL-2.0-or-later
// Legacy iptables tells of traced packets through the logger of the namespace only: it has to be
// nfnetlink_log meanwhile, and is set back afterwards.
#pragma once

#include <string>

#include "podman/core/fd.h"
#include "podman/core/result.h"

namespace podshark::extcap::tracing {

/// Of one address family in one namespace.
struct Logger {
  bool legacy = false;  ///< there are legacy tables
  std::string name;     ///< "nf_log_ipv4", "NONE"; empty when it could not be read
  /// It has to be changed for a trace.
  [[nodiscard]] bool changes() const { return legacy && !name.empty() && name != kNetlinkLog; }
  static constexpr const char* kNetlinkLog = "nfnetlink_log";
};

struct Loggers {
  Logger v4;
  Logger v6;
  [[nodiscard]] bool legacy() const { return v4.legacy || v6.legacy; }
};

/// Of the namespace that the caller is in. As text and back, for a child that tells them.
[[nodiscard]] Loggers read_loggers();
[[nodiscard]] std::string to_text(const Loggers& loggers);
[[nodiscard]] Loggers from_text(const std::string& text);

/// A socket that receives what is logged to group 0 of the caller's namespace, where there are legacy tables.
/// When it fails, no logger has been changed. Afterwards restore_loggers() is due.
[[nodiscard]] Result<UniqueFd> open_log(const Loggers& loggers);
/// Sets those back that open_log() changed. False when one could not be.
bool restore_loggers(const Loggers& before);

/// "net.netfilter.nf_log.2", 10 for IPv6.
[[nodiscard]] std::string logger_key(bool v4);

}  // namespace podshark::extcap::tracing
