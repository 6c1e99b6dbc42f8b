// SPDX-License-Identifier: GPL-2.0-or-later
// Losses that the kernel only counts: /proc/PID/net/{snmp,netstat,dev,stat/nf_conntrack}, softnet_stat. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace podshark::drops {

/// "TcpExt ListenOverflows", "Link rx_dropped eth0" → total since the namespace, or link, was made. Only
/// those that losses() knows.
using Counters = std::map<std::string, std::uint64_t>;
/// Adds what a file holds: a line of names, one of numbers. What is malformed or not known is skipped.
void add_counters(std::string_view text, Counters& out);
/// /proc/PID/net/dev: drops and errors of each link but lo.
void add_link_counters(std::string_view text, Counters& out);
/// /proc/PID/net/stat/nf_conntrack: a line of names, then one of hexadecimal numbers for each processor.
void add_conntrack_counters(std::string_view text, Counters& out);
/// /proc/net/softnet_stat: hexadecimal numbers without names, a line for each processor; of the whole host.
void add_softnet_counters(std::string_view text, Counters& out);

struct Loss {
  std::string_view name;  ///< "ListenOverflows"
  std::string_view group;
  std::string_view why;
  std::string_view next;
  std::uint64_t count = 0;
  std::string link = {};  ///< of a counter that each link has
};
/// What was lost between two readings; of a counter that the first has not, nothing is known. `events`: the
/// BPF program sees dropped packets, so only those are told that never get that far.
[[nodiscard]] std::vector<Loss> losses(const Counters& before, const Counters& after, bool events);

}  // namespace podshark::drops
