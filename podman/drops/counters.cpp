// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/drops/counters.h"

#include <array>
#include <limits>

#include "podman/core/text.h"

namespace podshark::drops {
namespace {

struct Known {
  std::string_view group;
  std::string_view name;
  bool event;  // the packet is freed as a dropped one, which the BPF program sees
  std::string_view why;
  std::string_view next;
};

constexpr std::string_view kSlow = "the program reads too slowly, or needs a larger SO_RCVBUF";
constexpr std::string_view kSum = "something on the way damaged packets, or checksum offload is broken";

constexpr std::array kKnown{
    Known{"TcpExt", "ListenOverflows", false,
          "a listener's accept queue was full, a new connection was not taken",
          "the program accepts too slowly, or listens with a small backlog: 'ss -ltn' shows both"},
    Known{"TcpExt", "TCPReqQFullDrop", false, "a listener's queue of half-open connections was full",
          "sysctl net.ipv4.tcp_max_syn_backlog; is somebody flooding it?"},
    Known{"Ip", "OutNoRoutes", false, "there was no route for what was to be sent",
          "'ip route' of that namespace"},
    Known{"Udp", "RcvbufErrors", true, "a UDP socket's receive buffer was full", kSlow},
    Known{"Udp", "InCsumErrors", true, "a UDP checksum was wrong", kSum},
    Known{"Udp", "NoPorts", true, "nobody listened on a UDP port",
          "'podshark check' of the target says who listens where"},
    Known{"Tcp", "InCsumErrors", true, "a TCP checksum was wrong", kSum},
    Known{"Icmp", "InCsumErrors", true, "an ICMP checksum was wrong", kSum},
    Known{"TcpExt", "TCPBacklogDrop", true, "a TCP socket's backlog was full", kSlow},
    Known{"TcpExt", "TCPRcvQDrop", true, "a TCP socket's receive queue was full", kSlow},
    Known{"TcpExt", "TCPOFODrop", true, "out-of-order data found no memory", kSlow},
    Known{"TcpExt", "PAWSEstab", true, "a TCP timestamp was older than one seen before (PAWS)", ""},
    Known{"TcpExt", "IPReversePathFilter", true,
          "a source would not be answered through the link it came from (rp_filter)",
          "add a route back, or 'sysctl -w net.ipv4.conf.LINK.rp_filter=2'"},
    Known{"IpExt", "InNoRoutes", true, "there was no route to a destination", "'ip route' of that namespace"},
    Known{"Ip", "InHdrErrors", true, "an IP header was malformed, or a TTL ran out", ""},
    Known{"Ip", "InAddrErrors", true, "a destination was not valid here, or forwarding is off", ""},
    Known{"Ip", "InDiscards", true, "a packet was given up on arrival", ""},
    Known{"Ip", "OutDiscards", true, "a packet was given up on its way out", ""},
    Known{"Ip", "ReasmFails", true, "fragments could not be put together", ""},
};

std::string key(std::string_view group, std::string_view name) {
  return std::string(group) + " " + std::string(name);
}

bool known(std::string_view group, std::string_view name) {
  for (const Known& k : kKnown) {
    if (k.group == group && k.name == name) return true;
  }
  return false;
}

std::uint64_t value(const Counters& counters, const std::string& at) {
  const auto it = counters.find(at);
  return it == counters.end() ? 0 : it->second;
}

}  // namespace

void add_counters(std::string_view text, Counters& out) {
  const std::vector<std::string> lines = split(text, '\n');
  for (std::size_t i = 0; i + 1 < lines.size(); i += 2) {
    const std::vector<std::string> names = split(lines[i], ' ');
    const std::vector<std::string> numbers = split(lines[i + 1], ' ');
    if (names.size() != numbers.size() || names.front() != numbers.front() || names.front().empty()) continue;
    const std::string_view group = std::string_view(names.front()).substr(0, names.front().size() - 1);
    for (std::size_t n = 1; n < names.size(); ++n) {
      std::uint64_t number = 0;
      if (known(group, names[n]) &&
          parse_number(numbers[n], std::numeric_limits<std::uint64_t>::max(), number))
        out[key(group, names[n])] = number;
    }
  }
}

std::vector<Loss> losses(const Counters& before, const Counters& after, bool events) {
  std::vector<Loss> out;
  for (const Known& k : kKnown) {
    if (events && k.event) continue;
    const std::string at = key(k.group, k.name);
    const std::uint64_t was = value(before, at);
    const std::uint64_t is = value(after, at);
    if (is > was) out.push_back({k.name, k.group, k.why, k.next, is - was});
  }
  return out;
}

}  // namespace podshark::drops
