// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

#include "extcap/probe/request.h"
#include "podman/core/result.h"

namespace podshark::extcap::probing {

struct ProbeOptions {
  std::string from = "host";
  std::string target;  ///< as written; empty with --mesh
  std::string mesh;    ///< "pod/NAME" or "net/NAME"
  bool published = false;
  bool mtu = false;
  bool listen = false;
  bool all_ports = false;
  bool json = false;
  std::uint64_t count = 1;  ///< 0: until stopped
  std::chrono::milliseconds timeout{3000};
  std::chrono::milliseconds interval{1000};
};

/// What all probes together came to.
enum class Verdict { ok, failed, not_measured };

/// Probes and prints. Errors are those of the wish (usage, not_found, permission…), not of what was measured.
/// Ends at SIGINT, SIGTERM and SIGHUP.
[[nodiscard]] Result<Verdict> run_probe(const ProbeOptions& options, std::ostream& out);

struct ListenOptions {
  std::string target;
  std::uint64_t count = 0;               ///< 0: no limit
  std::chrono::milliseconds timeout{0};  ///< 0: no limit
  bool json = false;
};

/// Prints one line per arrival, until `count` of them came (Verdict::ok), the timeout passed (ok when
/// something came, else failed) or a signal (ok).
[[nodiscard]] Result<Verdict> run_listen(const ListenOptions& options, std::ostream& out, std::ostream& err);

}  // namespace podshark::extcap::probing
