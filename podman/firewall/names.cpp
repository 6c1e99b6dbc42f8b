// SPDX-License-Identifier: GPL-2.0-or-later
// Words of nft and iptables and their numbers (nft describe icmp type; iptables -m icmp -h).
#include <algorithm>
#include <iterator>

#include "podman/core/text.h"
#include "podman/firewall/match.h"

namespace podshark::firewall {
namespace {

struct Word {
  std::string_view name;
  std::uint32_t number;
};

constexpr Word kProtocols[] = {
    {"tcp", 6},
    {"udp", 17},
    {"icmp", 1},
    {"icmpv6", 58},
    {"ipv6-icmp", 58},
    {"icmp6", 58},
    {"sctp", 132},
    {"udplite", 136},
    {"dccp", 33},
    {"gre", 47},
    {"esp", 50},
    {"ah", 51},
    {"igmp", 2},
    {"ipencap", 4},
    {"ipip", 4},
    {"ipv6", 41},
    {"ospf", 89},
    {"vrrp", 112},
    {"comp", 108},
    {"ipcomp", 108},
    {"l2tp", 115},
    {"pim", 103},
    {"mobility-header", 135},
    {"ipv6-mh", 135},
    {"mh", 135},
    {"mptcp", 262},
};
constexpr Word kIcmpTypes[] = {
    {"echo-reply", 0},
    {"pong", 0},
    {"destination-unreachable", 3},
    {"source-quench", 4},
    {"redirect", 5},
    {"echo-request", 8},
    {"ping", 8},
    {"router-advertisement", 9},
    {"router-solicitation", 10},
    {"time-exceeded", 11},
    {"ttl-exceeded", 11},
    {"parameter-problem", 12},
    {"timestamp-request", 13},
    {"timestamp-reply", 14},
    {"info-request", 15},
    {"info-reply", 16},
    {"address-mask-request", 17},
    {"address-mask-reply", 18},
};
constexpr Word kIcmp6Types[] = {
    {"destination-unreachable", 1},
    {"packet-too-big", 2},
    {"time-exceeded", 3},
    {"ttl-exceeded", 3},
    {"parameter-problem", 4},
    {"echo-request", 128},
    {"ping", 128},
    {"echo-reply", 129},
    {"pong", 129},
    {"mld-listener-query", 130},
    {"mld-listener-report", 131},
    {"mld-listener-done", 132},
    {"mld-listener-reduction", 132},
    {"nd-router-solicit", 133},
    {"router-solicitation", 133},
    {"nd-router-advert", 134},
    {"router-advertisement", 134},
    {"nd-neighbor-solicit", 135},
    {"neighbour-solicitation", 135},
    {"neighbor-solicitation", 135},
    {"nd-neighbor-advert", 136},
    {"neighbour-advertisement", 136},
    {"neighbor-advertisement", 136},
    {"nd-redirect", 137},
    {"redirect", 137},
    {"router-renumbering", 138},
    {"ind-neighbor-solicit", 141},
    {"ind-neighbor-advert", 142},
    {"mld2-listener-report", 143},
};
constexpr Word kIcmpCodes[] = {
    {"net-unreachable", 0}, {"host-unreachable", 1}, {"prot-unreachable", 2}, {"port-unreachable", 3},
    {"frag-needed", 4},     {"net-prohibited", 9},   {"host-prohibited", 10}, {"admin-prohibited", 13},
};
constexpr Word kIcmp6Codes[] = {
    {"no-route", 0},         {"admin-prohibited", 1}, {"addr-unreachable", 3},
    {"port-unreachable", 4}, {"policy-fail", 5},      {"reject-route", 6},
};
constexpr Word kCtStates[] = {
    {"new", static_cast<std::uint32_t>(CtState::fresh)},
    {"established", static_cast<std::uint32_t>(CtState::established)},
    {"related", static_cast<std::uint32_t>(CtState::related)},
    {"invalid", static_cast<std::uint32_t>(CtState::invalid)},
    {"untracked", static_cast<std::uint32_t>(CtState::untracked)},
};
constexpr Word kAddressTypes[] = {
    {"unspec", 0},    {"unicast", 1},     {"local", 2},    {"broadcast", 3}, {"anycast", 4}, {"multicast", 5},
    {"blackhole", 6}, {"unreachable", 7}, {"prohibit", 8}, {"throw", 9},     {"nat", 10},
};
constexpr Word kTcpFlags[] = {
    {"fin", 0x01}, {"syn", 0x02}, {"rst", 0x04}, {"psh", 0x08},
    {"ack", 0x10}, {"urg", 0x20}, {"ecn", 0x40}, {"cwr", 0x80},
};

std::string lower(std::string_view text) {
  std::string out(text.substr(0, 64));
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

template <std::size_t N>
std::optional<std::uint32_t> look_up(const Word (&words)[N], std::string_view name, std::uint32_t max) {
  std::uint64_t number = 0;
  if (parse_number(name, max, number)) return static_cast<std::uint32_t>(number);
  const std::string plain = lower(name);
  const auto* found =
      std::find_if(std::begin(words), std::end(words), [&](const Word& w) { return w.name == plain; });
  if (found == std::end(words)) return std::nullopt;
  return found->number;
}

}  // namespace

std::optional<std::uint32_t> protocol_number(std::string_view name) {
  return look_up(kProtocols, name, 255);
}

std::string protocol_name(std::uint32_t number) {
  for (const Word& w : kProtocols) {
    if (w.number == number) return std::string(w.name);
  }
  return std::to_string(number);
}

std::optional<std::uint32_t> icmp_type_number(std::string_view name, bool v6) {
  return v6 ? look_up(kIcmp6Types, name, 255) : look_up(kIcmpTypes, name, 255);
}

std::optional<std::uint32_t> icmp_code_number(std::string_view name, bool v6) {
  return v6 ? look_up(kIcmp6Codes, name, 255) : look_up(kIcmpCodes, name, 255);
}

std::optional<std::uint32_t> ct_state_number(std::string_view name) {
  return look_up(kCtStates, name, 0);
}

std::optional<std::uint32_t> address_type_number(std::string_view name) {
  return look_up(kAddressTypes, name, 0);
}

std::optional<std::uint32_t> tcp_flag(std::string_view name) {
  return look_up(kTcpFlags, name, 0);
}

}  // namespace podshark::firewall
