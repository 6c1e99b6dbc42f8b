// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/trace/content.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace podshark::trace {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kIpv6 = 40;
constexpr std::size_t kTcp = 20;
constexpr std::size_t kUdp = 8;
constexpr std::size_t kEcho = 8;
constexpr std::size_t kSctp = 12;

std::uint16_t word(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8U | bytes[at + 1]);
}

void mix(std::uint64_t& hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15ULL;
  hash ^= hash >> 32U;
}

void mix(std::uint64_t& hash, Bytes bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data() + at, std::min(sizeof value, bytes.size() - at));
    mix(hash, value);
  }
}

bool to_one(const Headers& h) {
  const auto& b = h.dst.bytes;
  if (h.v4) return b[12] < 224;
  const auto link_local = [](const IpAddress& a) {
    return a.bytes[0] == 0xFE && (a.bytes[1] & 0xC0U) == 0x80;
  };
  return b[0] != 0xFF && !link_local(h.dst) && !link_local(h.src);
}

}  // namespace

std::optional<Content> content_of(Bytes packet, std::size_t payload) {
  const std::optional<Headers> parsed =
      parse_packet({reinterpret_cast<const char*>(packet.data()), packet.size()});
  if (!parsed) return std::nullopt;
  const Headers& h = *parsed;
  if (!to_one(h) || h.src.loopback() || h.dst.loopback()) return std::nullopt;
  if (h.v4 && (word(packet, 6) & 0x3FFFU) != 0) return std::nullopt;  // a fragment
  const std::size_t network = h.v4 ? std::size_t{4} * (packet[0] & 15U) : kIpv6;
  const Bytes body = packet.subspan(network);
  // Of a packet larger than the field can tell (BIG TCP) it is 0.
  const std::size_t told = h.v4 ? std::size_t{h.length} : std::size_t{h.length} + kIpv6;
  const std::size_t whole = h.length == 0 ? packet.size() : told;
  if (whole < network) return std::nullopt;

  Content out{.headers = h};
  mix(out.key, std::uint64_t{h.length} << 32U | std::uint64_t{h.ip_id} << 16U | h.protocol);
  std::size_t header = 0;
  if (h.protocol == IPPROTO_TCP) {
    if (body.size() < kTcp) return std::nullopt;
    header = std::size_t{4} * (body[12] >> 4U);
    if (header < kTcp || body.size() < header || whole < network + header) return std::nullopt;
    mix(out.key, body.subspan(4, 12));                // both numbers, flags, window
    mix(out.key, body.subspan(kTcp, header - kTcp));  // options
    const bool syn = (h.tcp_flags & 2U) != 0;
    const bool fin = (h.tcp_flags & 1U) != 0;
    out.bytes = static_cast<std::uint32_t>(whole - network - header) + (syn ? 1U : 0U) + (fin ? 1U : 0U);
  } else if (h.protocol == IPPROTO_UDP) {
    header = kUdp;
  } else if (h.protocol == IPPROTO_SCTP) {
    header = kSctp;
    if (body.size() < header) return std::nullopt;
    mix(out.key, body.subspan(4, 4));  // verification tag
  } else if (h.transport && is_echo(h)) {
    header = kEcho;
    mix(out.key, std::uint64_t{h.icmp_type} << 32U | h.seq);
  } else {
    return std::nullopt;
  }
  if (whole < network + header) return std::nullopt;
  const std::size_t compared = std::min(payload, whole - network - header);
  if (body.size() < header + compared) return std::nullopt;
  mix(out.key, body.subspan(header, compared));
  return out;
}

std::uint64_t connection_key(const Headers& h, bool reversed) {
  std::uint64_t key = h.protocol;
  mix(key, (reversed ? h.dst : h.src).bytes);
  mix(key, (reversed ? h.src : h.dst).bytes);
  mix(key, std::uint64_t{reversed ? h.dport : h.sport} << 16U | (reversed ? h.sport : h.dport));
  return key;
}

Bytes ip_in_ethernet(Bytes frame) {
  std::size_t at = 12;
  while (frame.size() >= at + 2) {
    const std::uint16_t type = word(frame, at);
    if (type == 0x0800 || type == 0x86DD) return frame.subspan(at + 2);
    if (type != 0x8100 && type != 0x88A8) break;
    at += 4;
  }
  return {};
}

}  // namespace podshark::trace
