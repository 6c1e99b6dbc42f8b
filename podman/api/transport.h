// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "podman/core/result.h"

namespace podshark::api {

using Deadline = std::chrono::steady_clock::time_point;

/// Where podman's JSON comes from: its command or a REST socket. Every call blocks at most until its deadline
/// and returns the raw answer (parse.h), within the byte limits of limits.h. Errors have kind no_podman
/// or, of one thing that is not there, not_found.
class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  /// Model::Problem::source of what goes wrong here.
  [[nodiscard]] virtual const char* source() const = 0;
  /// All containers, stopped ones too, with pods and namespaces.
  [[nodiscard]] virtual Result<std::string> ps(Deadline deadline) = 0;
  /// Those of `ids` that still exist. Ids must be hexadecimal, as parse.h yields them.
  [[nodiscard]] virtual Result<std::string> inspect(const std::vector<std::string>& ids,
                                                    Deadline deadline) = 0;
  /// Those of the named networks that still exist; names that podman would not allow are left out.
  [[nodiscard]] virtual Result<std::string> networks(const std::vector<std::string>& names,
                                                     Deadline deadline) = 0;
  [[nodiscard]] virtual Result<std::string> pods(Deadline deadline) = 0;
};

/// Milliseconds until `deadline`, never below 0.
[[nodiscard]] std::chrono::milliseconds time_left(Deadline deadline);

/// podman's own rule for names: a letter or digit, then letters, digits, '_', '.', '-'.
[[nodiscard]] bool is_podman_name(const std::string& name);

}  // namespace podshark::api
