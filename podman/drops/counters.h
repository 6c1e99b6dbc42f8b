// SPDX-License-Identifier: GPL-2.0-or-later
// Losses that the kernel only counts: /proc/PID/net/{snmp,netstat}. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace podshark::drops {

/// "TcpExt ListenOverflows" → total since the namespace was made. Only those that explain() knows.
using Counters = std::map<std::string, std::uint64_t>;
/// Adds what a file holds: a line of names, one of numbers. What is malformed or not known is skipped.
void add_counters(std::string_view text, Counters& out);

struct Loss {
  std::string_view name;  ///< "ListenOverflows"
  std::string_view group;
  std::string_view why;
  std::string_view next;
  std::uint64_t count = 0;
};
/// What was lost between two readings. `events`: the BPF program sees dropped packets, so only those are told
/// that never get that far.
[[nodiscard]] std::vector<Loss> losses(const Counters& before, const Counters& after, bool events);

}  // namespace podshark::drops
