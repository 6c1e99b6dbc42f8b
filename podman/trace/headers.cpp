// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/trace/headers.h"

#include <netinet/in.h>

#include "podman/firewall/match.h"

namespace podshark::trace {
namespace {

std::uint8_t byte(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

std::uint16_t word(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte(bytes, at) << 8U | byte(bytes, at + 1));
}

const std::uint8_t* address_at(std::string_view bytes, std::size_t at) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data() + at);
}

constexpr std::size_t kIpv4 = 20;
constexpr std::size_t kIpv6 = 40;

bool read_network(std::string_view network, Headers& out) {
  if (network.empty()) return false;
  const unsigned version = byte(network, 0) >> 4U;
  out.v4 = version == 4;
  if (version == 4 && network.size() >= kIpv4) {
    out.length = word(network, 2);
    out.ip_id = word(network, 4);
    out.protocol = byte(network, 9);
    out.src = IpAddress::v4(address_at(network, 12));
    out.dst = IpAddress::v4(address_at(network, 16));
    return true;
  }
  if (version != 6 || network.size() < kIpv6) return false;
  out.length = word(network, 4);
  out.protocol = byte(network, 6);
  out.src = IpAddress::v6(address_at(network, 8));
  out.dst = IpAddress::v6(address_at(network, 24));
  return true;
}

bool is_icmp(const Headers& h) {
  return h.protocol == (h.v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6});
}

void read_transport(std::string_view bytes, Headers& out) {
  if (out.protocol == IPPROTO_TCP && bytes.size() >= 14) {
    out.seq = std::uint32_t{word(bytes, 4)} << 16U | word(bytes, 6);
    out.tcp_flags = byte(bytes, 13);
  } else if (is_icmp(out) && bytes.size() >= 8) {
    out.icmp_type = byte(bytes, 0);
    out.icmp_code = byte(bytes, 1);
    if (is_echo(out)) {
      out.sport = out.dport = word(bytes, 4);
      out.seq = word(bytes, 6);
    }
    out.transport = true;
    return;
  } else if ((out.protocol != IPPROTO_UDP && out.protocol != IPPROTO_SCTP) || bytes.size() < 8) {
    return;
  }
  out.sport = word(bytes, 0);
  out.dport = word(bytes, 2);
  out.transport = true;
}

std::string end_text(const Headers& h, const IpAddress& address, std::uint16_t port) {
  if (!h.transport || is_icmp(h)) return address.text();
  const bool v6 = !address.is_v4();
  return (v6 ? "[" : "") + address.text() + (v6 ? "]:" : ":") + std::to_string(port);
}

std::string flags_text(std::uint8_t flags) {
  static constexpr const char* kNames[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG"};
  std::string out;
  for (unsigned i = 0; i < 6; ++i) {
    if ((flags & (1U << i)) == 0) continue;
    out += (out.empty() ? "" : " ") + std::string(kNames[i]);
  }
  return out;
}

}  // namespace

bool is_echo(const Headers& h) {
  return h.v4 ? h.icmp_type == 8 || h.icmp_type == 0 : h.icmp_type == 128 || h.icmp_type == 129;
}

std::optional<Headers> parse_headers(std::string_view network, std::string_view transport) {
  Headers out;
  if (!read_network(network, out)) return std::nullopt;
  const bool later_fragment = out.v4 && (word(network, 6) & 0x1FFFU) != 0;
  if (!later_fragment) read_transport(transport, out);
  return out;
}

std::optional<Headers> parse_packet(std::string_view packet) {
  if (packet.empty()) return std::nullopt;
  const std::size_t length = byte(packet, 0) >> 4U == 4 ? std::size_t{4} * (byte(packet, 0) & 15U) : kIpv6;
  if (length < kIpv4 || length > packet.size()) return std::nullopt;
  return parse_headers(packet.substr(0, length), packet.substr(length));
}

bool same_packet(const Headers& a, const Headers& b) {
  if (a.v4 != b.v4 || a.protocol != b.protocol || a.ip_id != b.ip_id || a.length != b.length) return false;
  if (a.transport != b.transport || a.seq != b.seq || a.tcp_flags != b.tcp_flags) return false;
  if (a.icmp_type != b.icmp_type || a.icmp_code != b.icmp_code) return false;
  return (a.src == b.src && a.sport == b.sport) || (a.dst == b.dst && a.dport == b.dport);
}

std::string source_text(const Headers& h) {
  return end_text(h, h.src, h.sport);
}

std::string destination_text(const Headers& h) {
  return end_text(h, h.dst, h.dport);
}

std::string to_string(const Headers& h) {
  std::string out = firewall::protocol_name(h.protocol) + " " + source_text(h) + " → " + destination_text(h);
  if (!h.transport) return out;
  if (h.protocol == IPPROTO_TCP) out += " (" + flags_text(h.tcp_flags) + ")";
  if (is_icmp(h)) out += " (type " + std::to_string(h.icmp_type) + ")";
  return out;
}

}  // namespace podshark::trace
