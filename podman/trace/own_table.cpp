// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/trace/own_table.h"

#include <netinet/in.h>

namespace podshark::trace {
namespace {

constexpr const char* kPrefix = "podshark_trace_";
constexpr const char* kMark = " limit rate 50/second burst 5 packets meta nftrace set 1";

std::string protocol_text(const Selector& s) {
  if (s.protocol == IPPROTO_TCP) return "tcp";
  if (s.protocol == IPPROTO_UDP) return "udp";
  const std::optional<IpAddress>& known = s.address ? s.address : s.peer;
  return known && !known->is_v4() ? "ipv6-icmp" : "icmp";
}

std::string address_text(const IpAddress& address, char side) {
  return std::string(address.is_v4() ? "ip " : "ip6 ") + side + "addr " + address.text() + ' ';
}

// `side` of the service: 'd' towards it, 's' from it.
std::string condition(const Selector& s, char side) {
  std::string out;
  if (s.peer) out += address_text(*s.peer, side == 'd' ? 's' : 'd');
  if (s.address) out += address_text(*s.address, side);
  const std::string protocol = protocol_text(s);
  if (s.protocol == IPPROTO_TCP || s.protocol == IPPROTO_UDP)
    return out + protocol + ' ' + side + "port " + std::to_string(s.port);
  return out + "meta l4proto " + (s.address || s.peer ? protocol : "{ icmp, ipv6-icmp }");
}

std::string chain(const char* name, const char* hook, std::int64_t priority, const std::string& rules) {
  return std::string(" chain ") + name + " { type filter hook " + hook + " priority " +
         std::to_string(priority) + "; policy accept; " + rules + "};";
}

}  // namespace

std::string own_table(std::uint32_t pid) {
  return kPrefix + std::to_string(pid);
}

bool is_own_table(std::string_view name) {
  return name.starts_with(kPrefix);
}

std::vector<std::string> conditions(const Selector& selector) {
  return {condition(selector, 'd'), condition(selector, 's')};
}

std::string nft_command(const std::string& table, const std::vector<Selector>& selectors) {
  std::string rules;
  for (const Selector& s : selectors) {
    for (const std::string& c : conditions(s)) rules += c + kMark + "; ";
  }
  return "add table inet " + table + " { flags owner;" + chain("pre", "prerouting", kFirst, rules) +
         chain("out", "output", kFirst, rules) + chain("in", "input", kLast, "") +
         chain("post", "postrouting", kLast, "") + " }\n";
}

firewall::Hook own_hook(std::string_view chain) {
  if (chain == "pre") return firewall::Hook::prerouting;
  if (chain == "out") return firewall::Hook::output;
  if (chain == "in") return firewall::Hook::input;
  return chain == "post" ? firewall::Hook::postrouting : firewall::Hook::none;
}

}  // namespace podshark::trace
