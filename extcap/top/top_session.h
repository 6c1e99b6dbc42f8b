// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "extcap/top/judge.h"
#include "podman/core/result.h"

namespace podshark::extcap::top {

struct TopOptions {
  std::vector<std::string> targets;  ///< as for resolve(); empty: all
  std::chrono::milliseconds interval{1000};
  std::uint64_t count = 0;  ///< refreshes; 0: until stopped
  Sort sort = Sort::rate;
  std::size_t peers = 20;  ///< shown per namespace; 0: packets are not looked at
  bool json = false;
};

/// Measures and writes to standard output until `count`, a signal, q, or the reader's end.
[[nodiscard]] Status run_top(const TopOptions& options);

}  // namespace podshark::extcap::top
