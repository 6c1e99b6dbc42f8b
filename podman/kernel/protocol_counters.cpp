// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/protocol_counters.h"

#include <array>
#include <limits>
#include <string>
#include <vector>

#include "podman/core/text.h"

namespace podshark::kernel {
namespace {

struct Known {
  std::string_view group;
  std::string_view name;
  std::uint64_t ProtocolCounters::*member;
};

constexpr std::array<Known, 6> kKnown{{
    {"Tcp:", "OutSegs", &ProtocolCounters::tcp_segments_out},
    {"Tcp:", "RetransSegs", &ProtocolCounters::tcp_retransmits},
    {"TcpExt:", "ListenDrops", &ProtocolCounters::tcp_listen_drops},
    {"TcpExt:", "TCPBacklogDrop", &ProtocolCounters::tcp_queue_drops},
    {"TcpExt:", "TCPRcvQDrop", &ProtocolCounters::tcp_queue_drops},
    {"Udp:", "InErrors", &ProtocolCounters::udp_drops},
}};

void add(std::string_view number, std::uint64_t& to) {
  std::uint64_t value = 0;
  if (parse_number(number, std::numeric_limits<std::uint64_t>::max(), value)) to += value;
}

void add_group(const std::vector<std::string>& names, const std::vector<std::string>& numbers,
               ProtocolCounters& out) {
  if (names.size() != numbers.size() || names.front() != numbers.front()) return;
  for (std::size_t i = 1; i < names.size(); ++i) {
    for (const Known& k : kKnown) {
      if (names.front() == k.group && names[i] == k.name) add(numbers[i], out.*k.member);
    }
  }
}

}  // namespace

void add_snmp(std::string_view text, ProtocolCounters& out) {
  const std::vector<std::string> lines = split(text, '\n');
  for (std::size_t i = 0; i + 1 < lines.size(); i += 2) {
    add_group(split(lines[i], ' '), split(lines[i + 1], ' '), out);
  }
}

void add_snmp6(std::string_view text, ProtocolCounters& out) {
  constexpr std::string_view kErrors = "Udp6InErrors";
  for (const std::string& line : split(text, '\n')) {
    if (line.starts_with(kErrors)) add(trim(std::string_view(line).substr(kErrors.size())), out.udp_drops);
  }
}

}  // namespace podshark::kernel
