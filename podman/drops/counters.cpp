// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/drops/counters.h"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

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
    // The packet is dropped like one by a rule, which would be misleading alone.
    Known{"Conntrack", "drop", false,
          "the table of tracked connections was full, a packet that needed an entry was dropped",
          "sysctl net.netfilter.nf_conntrack_max; 'conntrack -C' counts the entries"},
    Known{"Conntrack", "insert_failed", true,
          "two packets began the same connection at once, as name queries do, and one was dropped",
          "it is sent again; often: a local name server that asks over TCP"},
    Known{"Softnet", "dropped", true, "a processor's queue of arrived packets was full",
          "sysctl net.core.netdev_max_backlog; is one processor doing all the work?"},
    Known{"Link", "rx_dropped", true, "the link gave up packets that arrived",
          "'ip -s -s link' of that namespace"},
    Known{"Link", "tx_dropped", true, "the link gave up packets that were sent",
          "its MTU, a queueing discipline, or the other end being down: 'ip -s -s link', 'tc -s qdisc'"},
    Known{"Link", "rx_errors", true, "the link received faulty packets", "'ip -s -s link' of that namespace"},
    Known{"Link", "tx_errors", true, "the link failed to send packets", "'ip -s -s link' of that namespace"},
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

std::uint64_t hexadecimal(const std::string& text) {
  std::uint64_t out = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return out;
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

void add_link_counters(std::string_view text, Counters& out) {
  // packets errs drop … of received ones, eight columns, then of sent ones.
  static constexpr std::array<std::pair<std::size_t, const char*>, 4> kColumns{
      {{2, "rx_errors"}, {3, "rx_dropped"}, {10, "tx_errors"}, {11, "tx_dropped"}}};
  for (const std::string& line : split(text, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string link = one_line(std::string(trim(line.substr(0, colon))), 32);
    const std::vector<std::string> numbers = words(line.substr(colon + 1));
    if (link.empty() || link == "lo" || numbers.size() < 12) continue;
    for (const auto& [column, name] : kColumns) {
      std::uint64_t number = 0;
      if (parse_number(numbers[column], std::numeric_limits<std::uint64_t>::max(), number))
        out[key("Link", name) + " " + link] = number;
    }
  }
}

void add_conntrack_counters(std::string_view text, Counters& out) {
  const std::vector<std::string> lines = split(text, '\n');
  const std::vector<std::string> names = lines.empty() ? std::vector<std::string>() : words(lines.front());
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> numbers = words(lines[i]);
    for (std::size_t n = 0; n < names.size() && n < numbers.size(); ++n) {
      if (known("Conntrack", names[n])) out[key("Conntrack", names[n])] += hexadecimal(numbers[n]);
    }
  }
}

void add_softnet_counters(std::string_view text, Counters& out) {
  for (const std::string& line : split(text, '\n')) {
    const std::vector<std::string> numbers = words(line);
    if (numbers.size() >= 2) out[key("Softnet", "dropped")] += hexadecimal(numbers[1]);
  }
}

std::vector<Loss> losses(const Counters& before, const Counters& after, bool events) {
  std::vector<Loss> out;
  for (const Known& k : kKnown) {
    if (events && k.event) continue;
    const std::string at = key(k.group, k.name);
    for (auto it = after.lower_bound(at); it != after.end() && it->first.starts_with(at); ++it) {
      if (it->first.size() > at.size() && it->first[at.size()] != ' ') continue;
      const auto was = before.find(it->first);
      if (was == before.end() || it->second <= was->second) continue;
      const std::string link = it->first.size() > at.size() ? it->first.substr(at.size() + 1) : "";
      out.push_back({k.name, k.group, k.why, k.next, it->second - was->second, link});
    }
  }
  return out;
}

}  // namespace podshark::drops
