// SPDX-License-Identifier: GPL-2.0-or-later
// What `podshark top` knows after one interval. Plain data; docs/FORMAT.md has the same in JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "extcap/top/peer_table.h"

namespace podshark::extcap::top {

/// Counts within a span of time.
struct Sums {
  Traffic traffic;  ///< of all links but loopback
  std::uint64_t lo_packets = 0;
  std::uint64_t lo_bytes = 0;
  std::uint64_t link_drops = 0;   ///< rx_dropped + tx_dropped of every link
  std::uint64_t link_errors = 0;  ///< rx_errors + tx_errors
  std::uint64_t socket_drops = 0;
  std::uint64_t retransmits = 0;
  std::uint64_t segments = 0;  ///< TCP segments sent, retransmitted ones not included
  Sums& operator+=(const Sums& other);
  [[nodiscard]] std::uint64_t bytes() const { return traffic.bytes() + lo_bytes; }
  [[nodiscard]] std::uint64_t packets() const { return traffic.packets() + lo_packets; }
  [[nodiscard]] std::uint64_t drops() const { return link_drops + socket_drops; }
};

struct LinkRow {
  std::string name;
  bool loopback = false;
  Traffic traffic;
  std::uint64_t drops = 0;
  std::uint64_t errors = 0;
};

struct PeerRow {
  PeerKey key;
  std::string name;                  ///< container, "gateway"; empty when nobody is known by the address
  std::uint16_t published_port = 0;  ///< on the host, for key.port of this container; 0 none
  Traffic traffic;
};

/// One network namespace: a container, or the containers that share it.
struct Entry {
  std::string interface;             ///< "podman:web", "podman:pod/shop"
  std::string name;                  ///< the same without "podman:"
  std::string container_id;          ///< whose namespace it is
  std::string pod;                   ///< empty without
  std::vector<std::string> members;  ///< names of the containers in it, infra ones not
  double seconds = 0;                ///< that were measured: shorter than the interval for a newcomer
  Sums now;
  Sums since_start;
  bool protocols_known = false;  ///< socket_drops, retransmits, segments
  std::optional<std::uint64_t> connections;
  std::vector<LinkRow> links;
  std::vector<PeerRow> peers;
  Traffic others;                    ///< of the peers that are not in `peers`
  std::uint64_t unseen_packets = 0;  ///< counted by the links, but missing from `peers`: too many at once
  bool ended = false;                ///< its process has ended within the interval
};

struct PodRow {
  std::string name;
  std::size_t namespaces = 0;
  Sums now;
  Sums since_start;
  std::optional<std::uint64_t> connections;
};

struct Report {
  std::int64_t time_ns = 0;  ///< CLOCK_REALTIME, the end of the interval
  double seconds = 0;
  std::vector<Entry> entries;
  std::vector<PodRow> pods;
  Sums total;  ///< of all entries
  Sums total_since_start;
  std::vector<std::string> problems;  ///< one line each
};

}  // namespace podshark::extcap::top
