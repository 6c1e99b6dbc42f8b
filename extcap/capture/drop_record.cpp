// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/drop_record.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "extcap/drops/event.h"
#include "extcap/probe/reach.h"
#include "podman/core/ip_address.h"
#include "podman/core/text.h"
#include "podman/drops/explain.h"
#include "podman/trace/headers.h"

namespace podshark::extcap {
namespace {

constexpr std::uint16_t kIpv4 = 0x0800;
constexpr std::uint16_t kIpv6 = 0x86dd;
constexpr std::uint32_t kSourceTranslated = 1U << 4U;       // IPS_SRC_NAT
constexpr std::uint32_t kDestinationTranslated = 1U << 5U;  // IPS_DST_NAT
constexpr std::uint8_t kReset = 0x04;
constexpr std::uint8_t kSyn = 0x02;

drops::Nature nature_of(std::span<const std::uint8_t> ip) {
  drops::Nature out;
  if (ip.size() < 20) return out;
  const bool v4 = ip[0] >> 4U == 4;
  if (!v4 && ip.size() < 40) return out;
  out.multicast = v4 ? ip[16] >> 4U == 14 : ip[24] == 0xff;
  const std::size_t header = v4 ? std::size_t{ip[0] & 15U} * 4 : 40;
  const std::uint8_t protocol = v4 ? ip[9] : ip[6];
  if (protocol != IPPROTO_TCP || ip.size() < header + 14) return out;
  const auto word = [&](std::size_t at) { return std::size_t{ip[at]} << 8U | ip[at + 1]; };
  const std::size_t whole = v4 ? word(2) : word(4) + 40;
  const std::uint8_t flags = ip[header + 13];
  out.reset = (flags & kReset) != 0;
  out.empty = (flags & kSyn) == 0 && whole == header + std::size_t{4} * (ip[header + 12] >> 4U);
  return out;
}

// Podman's own rule for names; the inventory may hold any.
std::string command_word(const model::Container& c) {
  const auto plain = [](char x) {
    return (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || (x >= '0' && x <= '9') || x == '_' ||
           x == '.' || x == '-';
  };
  const bool good = !c.name.empty() && c.name.front() != '-' && c.name.size() <= 255 &&
                    std::all_of(c.name.begin(), c.name.end(), plain);
  return good ? c.name : c.id.substr(0, 12);
}

void read_connection(const podshark_drop_event& e, Drop& out) {
  const podshark_drop_tuple& t = e.original;
  if (t.known == 0 || (t.family != AF_INET && t.family != AF_INET6)) return;
  const auto text = [&](const std::uint8_t* bytes) {
    return (t.family == AF_INET ? IpAddress::v4(bytes) : IpAddress::v6(bytes)).text();
  };
  const char* word = annotate::protocol_word(t.protocol);
  out.protocol = word != nullptr ? word : std::to_string(t.protocol);
  out.original.src = text(t.src);
  out.original.dst = text(t.dst);
  if (t.protocol == IPPROTO_TCP || t.protocol == IPPROTO_UDP || t.protocol == IPPROTO_SCTP) {
    out.original.src_port = ntohs(t.src_port);
    out.original.dst_port = ntohs(t.dst_port);
  }
  out.source_translated = (e.status & kSourceTranslated) != 0;
  out.destination_translated = (e.status & kDestinationTranslated) != 0;
}

std::string end(const std::string& address, std::uint16_t port) {
  if (port == 0) return address;
  return (address.find(':') == std::string::npos ? address : "[" + address + "]") + ":" +
         std::to_string(port);
}

std::string connection_text(const Drop& d) {
  if (d.original.src.empty()) return {};
  std::string out = "; connection " + end(d.original.src, d.original.src_port) + " > " +
                    end(d.original.dst, d.original.dst_port);
  if (d.source_translated && d.destination_translated) return out + " (SNAT, DNAT)";
  return out + (d.source_translated ? " (SNAT)" : d.destination_translated ? " (DNAT)" : "");
}

}  // namespace

std::string DropReader::function(std::uint32_t number) const {
  const auto it = functions_.find(number);
  return it == functions_.end() ? std::string() : it->second;
}

std::optional<Drop> DropReader::read(std::span<const std::uint8_t> record) {
  std::uint32_t kind = 0;
  if (record.size() < sizeof(kind)) return std::nullopt;
  std::memcpy(&kind, record.data(), sizeof(kind));
  if (kind == PODSHARK_DROP_SYMBOL && record.size() >= sizeof(podshark_drop_symbol)) {
    podshark_drop_symbol symbol;
    std::memcpy(&symbol, record.data(), sizeof(symbol));
    std::string name =
        one_line({symbol.name, ::strnlen(symbol.name, sizeof(symbol.name))}, sizeof(symbol.name));
    functions_[symbol.function] = name.substr(0, name.find(' '));  // " [module]" follows
    return std::nullopt;
  }
  if (kind != PODSHARK_DROP_PACKET || record.size() < sizeof(podshark_drop_event)) return std::nullopt;
  podshark_drop_event e;
  std::memcpy(&e, record.data(), sizeof(e));
  if (e.captured > record.size() - sizeof(e)) return std::nullopt;
  Drop out;
  out.bytes = record.subspan(sizeof(e), e.captured);
  if (e.link_layer > out.bytes.size()) return std::nullopt;
  const bool ip = e.protocol == kIpv4 || e.protocol == kIpv6;
  // A header that is none of Ethernet's is not shown; without IP there is nothing to show then.
  out.ethernet = e.link_layer >= 14;
  if (!out.ethernet) out.bytes = out.bytes.subspan(e.link_layer);
  if (out.bytes.empty() || (!out.ethernet && !ip)) return std::nullopt;
  out.tag = e.tag;
  out.time_ns = e.time_ns;
  out.length = std::max<std::uint32_t>(e.length - (out.ethernet ? 0 : e.link_layer),
                                       static_cast<std::uint32_t>(out.bytes.size()));
  out.reason = reason_(e.reason);
  out.function = function(e.function);
  std::vector<std::string> callers;
  for (const std::uint32_t frame : e.frames) {
    if (frame != 0) callers.push_back(function(frame));
  }
  if (!callers.empty()) out.hook = drops::hook(callers);
  out.netns = e.netns;
  out.ifindex = e.ifindex;
  out.segments = e.segments > 1 ? e.segments : 0;
  read_connection(e, out);
  const std::span<const std::uint8_t> network = out.bytes.subspan(out.ethernet ? e.link_layer : 0);
  out.noise = drops::is_noise(out.reason, out.function, ip ? nature_of(network) : drops::Nature{});
  return out;
}

annotate::Event drop_event(const Drop& d, std::int64_t time_ns) {
  annotate::Event out;
  out.kind = "drop";
  out.time_ns = time_ns;
  out.reason = d.reason;
  out.function = d.function;
  out.hook = d.hook;
  out.netns = d.netns;
  out.ifindex = d.ifindex;
  out.protocol = d.protocol;
  out.orig = d.original;
  out.count = d.segments;
  const drops::Explanation said = drops::explain(d.reason, d.function);
  out.detail =
      d.reason + (d.function.empty() ? "" : " at " + d.function) + (d.hook.empty() ? "" : ", " + d.hook);
  if (!said.why.empty()) out.detail += ": " + std::string(said.why);
  out.detail += connection_text(d);
  if (d.segments != 0) out.detail += "; " + std::to_string(d.segments) + " packets on the wire (GSO)";
  out.fix = said.next;
  return out;
}

std::string trace_command(std::span<const std::uint8_t> ip, const model::Container& c,
                          const std::vector<std::string>& addresses) {
  const auto headers = trace::parse_packet({reinterpret_cast<const char*>(ip.data()), ip.size()});
  if (!headers || !headers->transport) return {};
  const bool tcp = headers->protocol == IPPROTO_TCP;
  const bool icmp = headers->protocol == (headers->v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6});
  if (!tcp && !icmp && headers->protocol != IPPROTO_UDP) return {};
  const std::string protocol = tcp ? "" : icmp ? "/icmp" : "/udp";
  const auto own = [&](const IpAddress& address) {
    return std::any_of(addresses.begin(), addresses.end(),
                       [&](const std::string& text) { return IpAddress::parse(text) == address; });
  };
  const std::string who = command_word(c);
  const auto waiting = [&](std::uint16_t port) {
    return "podshark trace --wait 60 " + who + (icmp ? "" : ":" + std::to_string(port)) + protocol;
  };
  if (own(headers->dst)) return waiting(headers->dport);
  if (!own(headers->src)) {
    for (const model::PortMapping& p : c.ports) {
      if (!icmp && probing::covers(p, headers->dport, /* host_side= */ true, tcp ? "tcp" : "udp"))
        return waiting(static_cast<std::uint16_t>(p.container_port + (headers->dport - p.host_port)));
    }
    return {};
  }
  // An answer, or a request of the container's own, which can be made again.
  if (!icmp && headers->sport < headers->dport) return waiting(headers->sport);
  const std::string to = headers->v4 ? headers->dst.text() : "[" + headers->dst.text() + "]";
  return "podshark trace --from " + who + " " + to + (icmp ? "" : ":" + std::to_string(headers->dport)) +
         protocol;
}

std::string drop_comment(const annotate::Event& event) {
  return "dropped: " + event.detail + (event.fix.empty() ? "" : ". Next: " + event.fix);
}

}  // namespace podshark::extcap
