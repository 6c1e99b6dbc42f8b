// SPDX-License-Identifier: GPL-2.0-or-later
// Packets of one network namespace summed by peer and service. Pure, bounded.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "extcap/top/packet_flow.h"
#include "podman/core/ip_address.h"

namespace podshark::extcap::top {

/// Seen from the namespace: rx arrives, tx leaves. On loopback rx goes to the service, tx comes from it.
struct Traffic {
  std::uint64_t rx_packets = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_packets = 0;
  std::uint64_t tx_bytes = 0;
  bool operator==(const Traffic&) const = default;
  [[nodiscard]] std::uint64_t bytes() const { return rx_bytes + tx_bytes; }
  [[nodiscard]] std::uint64_t packets() const { return rx_packets + tx_packets; }
  Traffic& operator+=(const Traffic& other);
};

/// Where the service is whose port names a flow: here, at the peer, or nowhere (no ports, or not known).
enum class Side : std::uint8_t { none, local, remote };

struct PeerKey {
  bool ip = false;        ///< false: all that is not IP, together; the rest is then unset
  bool loopback = false;  ///< the packet was on a loopback link: the peer is in the namespace too
  Side side = Side::none;
  std::uint8_t protocol = 0;
  std::uint16_t port = 0;
  IpAddress peer;
  bool operator==(const PeerKey&) const = default;
};

/// The ports that somebody in the namespace serves, so that a flow is named by its service and not by the
/// port that a client happens to use.
class ServicePorts {
 public:
  /// Without the listeners known, the smaller port of a TCP flow is taken for the service, as for UDP.
  void set_tcp(const std::vector<std::uint16_t>& listening);
  void publish(std::uint8_t protocol, std::uint16_t port);
  /// A connection was accepted on this port. Kept: its listener may be gone before the connection is.
  void learn_tcp(std::uint16_t port) { accepted_.set(port); }
  [[nodiscard]] bool serves(std::uint8_t protocol, std::uint16_t port) const;
  [[nodiscard]] bool knows_tcp() const { return knows_tcp_; }

 private:
  bool knows_tcp_ = false;
  std::bitset<65536> listening_;
  std::bitset<65536> accepted_;
  std::bitset<65536> published_tcp_;
  std::bitset<65536> published_udp_;
};

struct Placed {
  PeerKey key;
  bool sent = false;  ///< counts as tx
};
/// `sent`: the link said the packet was leaving. On loopback, where every packet is seen once and arriving,
/// the direction follows from the service.
[[nodiscard]] Placed place(const PacketFlow& flow, bool sent, bool loopback, const ServicePorts& ports);

struct PeerSums {
  std::vector<std::pair<PeerKey, Traffic>> peers;  ///< by bytes, most first; ties in the order of the key
  Traffic others;                                  ///< of the peers beyond the table's limit
};

class PeerTable {
 public:
  /// At most `limit` peers, the rest is summed. `seed` keeps strangers from choosing addresses that collide.
  PeerTable(std::size_t limit, std::uint64_t seed);

  void add(const Placed& packet, std::uint32_t bytes);
  /// Everything since the last call; the table is empty afterwards.
  [[nodiscard]] PeerSums take();

 private:
  struct Hash {
    std::uint64_t seed;
    std::size_t operator()(const PeerKey& key) const;
  };
  std::size_t limit_;
  std::unordered_map<PeerKey, Traffic, Hash> peers_;
  Traffic others_;
};

}  // namespace podshark::extcap::top
