// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/top/peer_table.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <tuple>

namespace podshark::extcap::top {
namespace {

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t x = (a ^ b) * 0x9E3779B97F4A7C15ULL;
  x ^= x >> 32U;
  x *= 0xD6E8FEB86659FD93ULL;
  return x ^ (x >> 29U);
}

auto order(const PeerKey& k) {
  return std::tie(k.ip, k.loopback, k.peer, k.side, k.protocol, k.port);
}

// Is `local` the service of a flow between the two? Client ports are not known to be clients': listeners are
// asked first, then the smaller number wins.
bool local_serves(const PacketFlow& f, bool sent, std::uint16_t local, std::uint16_t remote,
                  const ServicePorts& ports) {
  if (f.opens) return !sent;
  if (f.accepts) return sent;
  if (ports.serves(f.protocol, local)) return true;
  if (f.protocol == IPPROTO_TCP && ports.knows_tcp()) return false;
  return local < remote;
}

bool goes_to_service(const PacketFlow& f, const ServicePorts& ports) {
  if (!f.ports || f.opens) return true;
  if (f.accepts) return false;
  if (ports.serves(f.protocol, f.destination_port)) return true;
  return !ports.serves(f.protocol, f.source_port) && f.destination_port <= f.source_port;
}

Placed place_on_loopback(const PacketFlow& f, const ServicePorts& ports) {
  Placed out;
  const bool to_service = goes_to_service(f, ports);
  out.sent = !to_service;
  out.key.peer = to_service ? f.source : f.destination;
  if (f.ports) {
    out.key.side = Side::local;
    out.key.port = to_service ? f.destination_port : f.source_port;
  }
  return out;
}

Placed place_on_link(const PacketFlow& f, bool sent, const ServicePorts& ports) {
  Placed out;
  out.sent = sent;
  out.key.peer = sent ? f.destination : f.source;
  if (f.ports) {
    const std::uint16_t local = sent ? f.source_port : f.destination_port;
    const std::uint16_t remote = sent ? f.destination_port : f.source_port;
    const bool here = local_serves(f, sent, local, remote, ports);
    out.key.side = here ? Side::local : Side::remote;
    out.key.port = here ? local : remote;
  }
  return out;
}

}  // namespace

Traffic& Traffic::operator+=(const Traffic& other) {
  rx_packets += other.rx_packets;
  rx_bytes += other.rx_bytes;
  tx_packets += other.tx_packets;
  tx_bytes += other.tx_bytes;
  return *this;
}

void ServicePorts::set_tcp(const std::vector<std::uint16_t>& listening) {
  knows_tcp_ = true;
  listening_.reset();
  for (const std::uint16_t port : listening) listening_.set(port);
}

void ServicePorts::publish(std::uint8_t protocol, std::uint16_t port) {
  if (protocol == IPPROTO_TCP) published_tcp_.set(port);
  if (protocol == IPPROTO_UDP) published_udp_.set(port);
}

bool ServicePorts::serves(std::uint8_t protocol, std::uint16_t port) const {
  if (protocol == IPPROTO_TCP)
    return listening_.test(port) || accepted_.test(port) || published_tcp_.test(port);
  return protocol == IPPROTO_UDP && published_udp_.test(port);
}

Placed place(const PacketFlow& flow, bool sent, bool loopback, const ServicePorts& ports) {
  if (!flow.ip) {
    Placed out;
    out.sent = sent;
    out.key.loopback = loopback;
    return out;
  }
  Placed out = loopback ? place_on_loopback(flow, ports) : place_on_link(flow, sent, ports);
  out.key.ip = true;
  out.key.loopback = loopback;
  out.key.protocol = flow.protocol;
  return out;
}

std::size_t PeerTable::Hash::operator()(const PeerKey& key) const {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, key.peer.bytes.data(), sizeof(high));
  std::memcpy(&low, key.peer.bytes.data() + sizeof(high), sizeof(low));
  const std::uint64_t rest = std::uint64_t{key.port} << 32U | std::uint64_t{key.protocol} << 24U |
                             static_cast<std::uint64_t>(key.side) << 8U |
                             static_cast<std::uint64_t>(key.loopback) << 1U |
                             static_cast<std::uint64_t>(key.ip);
  return static_cast<std::size_t>(mix(mix(mix(seed, high), low), rest));
}

PeerTable::PeerTable(std::size_t limit, std::uint64_t seed) : limit_(limit), peers_(16, Hash{seed}) {}

void PeerTable::add(const Placed& packet, std::uint32_t bytes) {
  auto it = peers_.find(packet.key);
  if (it == peers_.end() && peers_.size() < limit_) it = peers_.emplace(packet.key, Traffic{}).first;
  Traffic& t = it == peers_.end() ? others_ : it->second;
  ++(packet.sent ? t.tx_packets : t.rx_packets);
  (packet.sent ? t.tx_bytes : t.rx_bytes) += bytes;
}

PeerSums PeerTable::take() {
  PeerSums out;
  out.peers.assign(peers_.begin(), peers_.end());
  out.others = std::exchange(others_, Traffic{});
  peers_.clear();
  std::sort(out.peers.begin(), out.peers.end(), [](const auto& a, const auto& b) {
    if (a.second.bytes() != b.second.bytes()) return a.second.bytes() > b.second.bytes();
    return order(a.first) < order(b.first);
  });
  return out;
}

}  // namespace podshark::extcap::top
