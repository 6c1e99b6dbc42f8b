// SPDX-License-Identifier: GPL-2.0-or-later
// How TCP and UDP of a network namespace fare: /proc/PID/net/{snmp,snmp6,netstat}, readable without entering
// it.
#pragma once

#include <cstdint>
#include <string_view>

namespace podshark::kernel {

/// Totals since the namespace was made.
struct ProtocolCounters {
  std::uint64_t tcp_segments_out = 0;  ///< Tcp OutSegs, retransmitted ones not included
  std::uint64_t tcp_retransmits = 0;   ///< Tcp RetransSegs
  std::uint64_t tcp_listen_drops =
      0;  ///< TcpExt ListenDrops: connections lost at a listener, overflows included
  std::uint64_t tcp_queue_drops = 0;  ///< TcpExt TCPBacklogDrop + TCPRcvQDrop: the program reads too slowly
  std::uint64_t udp_drops = 0;        ///< Udp and Udp6 InErrors: buffer full (RcvbufErrors), wrong checksum
};

/// Adds what a file holds; lines and names that are not known are skipped, missing ones stay zero.
void add_snmp(std::string_view text,
              ProtocolCounters& out);  ///< snmp and netstat: a line of names, one of numbers
void add_snmp6(std::string_view text, ProtocolCounters& out);  ///< snmp6: a name and a number a line

}  // namespace podshark::kernel
