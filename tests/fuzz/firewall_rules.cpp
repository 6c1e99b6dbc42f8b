// SPDX-License-Identifier: GPL-2.0-or-later
// libFuzzer target: rules that somebody else wrote. The first byte of the input chooses the parser; what it
// read is judged and queried too, and every text that people see must be one line.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "podman/firewall/merge.h"
#include "podman/firewall/parse_iptables.h"
#include "podman/firewall/parse_nft.h"
#include "podman/firewall/queries.h"

namespace {

using namespace podshark::firewall;

// Small, so that a run takes milliseconds.
constexpr Limits kLimits{1U << 16U, 200, 500, 2000};

void clean(std::string_view text) {
  if (text.find_first_of("\n\r\x1b") != std::string_view::npos) std::abort();
}

Packet packet(Family family) {
  Packet p;
  p.family = family;
  p.iif = "wan0";
  p.oif = "podman0";
  p.saddr = *podshark::IpAddress::parse(family == Family::ip ? "203.0.113.2" : "2001:db8::2");
  p.daddr = *podshark::IpAddress::parse(family == Family::ip ? "10.88.0.2" : "fd00::2");
  p.dport = 80;
  return p;
}

void use(const Ruleset& rules) {
  for (const Chain& c : rules.chains) {
    clean(place(c));
    for (const Rule& r : c.rules) clean(r.text);
  }
  for (const Hook hook :
       {Hook::prerouting, Hook::input, Hook::forward, Hook::output, Hook::postrouting, Hook::ingress}) {
    for (const Family family : {Family::ip, Family::ip6}) {
      const Judgement j = judge(rules, hook, packet(family));
      clean(describe(j.by));
      for (const Step& s : j.path) clean(s.what);
    }
  }
  for (const Dnat& d : dnats(rules, Hook::prerouting)) (void)d.port_for(80);
  (void)port_marks(rules);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t way = *data++ % 4;
  const std::string_view text(reinterpret_cast<const char*>(data), size - 1);
  auto rules = way == 0 ? parse_nft_json(text, kLimits)
                        : parse_iptables_save(text, way == 1 ? Family::ip6 : Family::ip,
                                              way == 2 ? Maker::iptables_legacy : Maker::iptables, kLimits);
  if (rules) use(*rules);
  return 0;
}
