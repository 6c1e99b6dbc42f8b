// SPDX-License-Identifier: GPL-2.0-or-later
// Packets of the tests' making, from the IP header on; checksums are 0.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "podman/core/ip_address.h"

namespace podshark::packets {

using Bytes = std::vector<std::uint8_t>;

inline constexpr std::uint8_t kFin = 1, kSyn = 2, kAck = 16;

inline void put16(Bytes& out, std::uint16_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8U));
  out.push_back(static_cast<std::uint8_t>(value));
}
inline void put32(Bytes& out, std::uint32_t value) {
  put16(out, static_cast<std::uint16_t>(value >> 16U));
  put16(out, static_cast<std::uint16_t>(value));
}
inline void put_text(Bytes& out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}

struct Transport {
  std::uint8_t protocol;
  Bytes bytes;
};

struct Tcp {
  std::uint32_t seq = 1;
  std::uint32_t ack = 0;
  std::uint8_t flags = kSyn;
  std::string options = {};
  std::string payload = {};
};
inline Transport tcp(std::uint16_t sport, std::uint16_t dport, const Tcp& t) {
  Bytes out;
  put16(out, sport);
  put16(out, dport);
  put32(out, t.seq);
  put32(out, t.ack);
  out.push_back(static_cast<std::uint8_t>((5 + t.options.size() / 4) << 4U));
  out.push_back(t.flags);
  put16(out, 1024);
  put32(out, 0);
  put_text(out, t.options);
  put_text(out, t.payload);
  return {IPPROTO_TCP, out};
}

inline Transport udp(std::uint16_t sport, std::uint16_t dport, std::string_view payload) {
  Bytes out;
  put16(out, sport);
  put16(out, dport);
  put16(out, static_cast<std::uint16_t>(8 + payload.size()));
  put16(out, 0);
  put_text(out, payload);
  return {IPPROTO_UDP, out};
}

inline Transport echo(std::uint8_t type, std::uint16_t id, std::uint16_t sequence) {
  Bytes out{type, 0, 0, 0};
  put16(out, id);
  put16(out, sequence);
  return {IPPROTO_ICMP, out};
}

struct Ip4 {
  std::uint16_t id = 1;
  std::uint8_t ttl = 64;
  std::uint8_t tos = 0;
  std::uint16_t fragment = 0;
};
inline Bytes ip4(const char* src, const char* dst, const Transport& transport, const Ip4& ip = {}) {
  Bytes out{0x45, ip.tos};
  put16(out, static_cast<std::uint16_t>(20 + transport.bytes.size()));
  put16(out, ip.id);
  put16(out, ip.fragment);
  out.push_back(ip.ttl);
  out.push_back(transport.protocol);
  put16(out, 0);
  for (const char* address : {src, dst}) {
    const auto bytes = IpAddress::parse(address)->bytes;
    out.insert(out.end(), bytes.begin() + 12, bytes.end());
  }
  out.insert(out.end(), transport.bytes.begin(), transport.bytes.end());
  return out;
}

inline Bytes ip6(const char* src, const char* dst, const Transport& transport) {
  Bytes out{0x60, 0, 0, 0};
  put16(out, static_cast<std::uint16_t>(transport.bytes.size()));
  out.push_back(transport.protocol);
  out.push_back(64);
  for (const char* address : {src, dst}) {
    const auto bytes = IpAddress::parse(address)->bytes;
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  out.insert(out.end(), transport.bytes.begin(), transport.bytes.end());
  return out;
}

}  // namespace podshark::packets
