// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/top/packet_flow.h"

#include <netinet/in.h>

#include <span>

#include "podman/wire/ring.h"

namespace podshark::extcap::top {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr unsigned kIpv4Type = 0x0800;
constexpr unsigned kIpv6Type = 0x86DD;
constexpr unsigned kVlanType = 0x8100;
constexpr unsigned kServiceVlanType = 0x88A8;
constexpr int kMaxVlans = 2;
constexpr int kMaxExtensions = 8;
constexpr unsigned kUdpLite = 136;
constexpr unsigned kSyn = 0x02;
constexpr unsigned kAck = 0x10;

unsigned word(Bytes b, std::size_t at) {
  return static_cast<unsigned>(b[at]) << 8U | b[at + 1];
}

bool has_ports(unsigned protocol) {
  return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
         protocol == IPPROTO_DCCP || protocol == kUdpLite;
}

void read_ports(Bytes b, PacketFlow& flow) {
  if (!has_ports(flow.protocol) || b.size() < 4) return;
  flow.ports = true;
  flow.source_port = static_cast<std::uint16_t>(word(b, 0));
  flow.destination_port = static_cast<std::uint16_t>(word(b, 2));
  if (flow.protocol != IPPROTO_TCP || b.size() < 14 || (b[13] & kSyn) == 0) return;
  flow.accepts = (b[13] & kAck) != 0;
  flow.opens = !flow.accepts;
}

void read_ipv4(Bytes b, PacketFlow& flow) {
  if (b.size() < 20 || b[0] >> 4U != 4) return;
  const std::size_t header = (b[0] & 0xFU) * std::size_t{4};
  flow.ip = true;
  flow.protocol = b[9];
  flow.source = IpAddress::v4(&b[12]);
  flow.destination = IpAddress::v4(&b[16]);
  const bool later_fragment = (word(b, 6) & 0x1FFFU) != 0;
  if (header >= 20 && header <= b.size() && !later_fragment) read_ports(b.subspan(header), flow);
}

// Skips extension headers; false when the ports are out of reach.
bool skip_extensions(Bytes& b, unsigned& protocol) {
  for (int i = 0; i < kMaxExtensions; ++i) {
    const bool fragment = protocol == IPPROTO_FRAGMENT;
    const bool authentication = protocol == IPPROTO_AH;
    const bool options =
        protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING || protocol == IPPROTO_DSTOPTS;
    if (!fragment && !authentication && !options) return true;
    if (b.size() < 8) return false;
    const bool later_fragment = fragment && (word(b, 2) & 0xFFF8U) != 0;
    const std::size_t length = fragment         ? 8
                               : authentication ? (b[1] + std::size_t{2}) * 4
                                                : (b[1] + std::size_t{1}) * 8;
    protocol = b[0];
    if (later_fragment || length > b.size()) return false;
    b = b.subspan(length);
  }
  return false;
}

void read_ipv6(Bytes b, PacketFlow& flow) {
  if (b.size() < 40 || b[0] >> 4U != 6) return;
  flow.ip = true;
  flow.source = IpAddress::v6(&b[8]);
  flow.destination = IpAddress::v6(&b[24]);
  unsigned protocol = b[6];
  Bytes rest = b.subspan(40);
  const bool reached = skip_extensions(rest, protocol);
  flow.protocol = static_cast<std::uint8_t>(protocol);
  if (reached) read_ports(rest, flow);
}

// `b` begins at the layer above: an EtherType and what it announces.
void read_typed(unsigned type, Bytes b, PacketFlow& flow) {
  for (int i = 0; i < kMaxVlans && (type == kVlanType || type == kServiceVlanType); ++i) {
    if (b.size() < 4) return;
    type = word(b, 2);
    b = b.subspan(4);
  }
  if (type == kIpv4Type) read_ipv4(b, flow);
  if (type == kIpv6Type) read_ipv6(b, flow);
}

}  // namespace

PacketFlow read_flow(std::uint16_t linktype, const std::uint8_t* data, std::size_t size) {
  const Bytes b(data, size);
  PacketFlow flow;
  switch (linktype) {
    case wire::kLinktypeEthernet:
      if (size >= 14) read_typed(word(b, 12), b.subspan(14), flow);
      break;
    case wire::kLinktypeSll2:
      if (size >= 20) read_typed(word(b, 0), b.subspan(20), flow);
      break;
    case wire::kLinktypeRaw:
      read_ipv4(b, flow);
      read_ipv6(b, flow);
      break;
    default:
      break;
  }
  return flow;
}

}  // namespace podshark::extcap::top
