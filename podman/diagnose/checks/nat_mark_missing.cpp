// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/ways.h"
#include "podman/firewall/queries.h"

namespace podshark::diagnose {

namespace nat_mark_missing {

constexpr std::uint8_t kTcp = 6, kUdp = 17;
constexpr std::uint8_t kLoopback[4] = {127, 0, 0, 1};

bool covers(const firewall::PortMark& mark, const Published& port) {
  if (mark.protocol != 0 && mark.protocol != (port.udp ? kUdp : kTcp)) return false;
  if (!mark.source.contains(IpAddress::v4(kLoopback))) return false;
  if (mark.ports.empty()) return true;
  for (const firewall::NumberRange& range : mark.ports) {
    if (range.contains(port.host_port)) return true;
  }
  return false;
}

void check(const Facts& facts, Findings& out) {
  if (!facts.host.firewall || !firewall::has_netavark(*facts.host.firewall).iptables) return;
  const std::vector<firewall::PortMark> marks = firewall::port_marks(*facts.host.firewall);
  const std::vector<firewall::Dnat> all = firewall::dnats(*facts.host.firewall, firewall::Hook::output);
  each_bridged(facts, [&](const ContainerFacts& c) {
    if (c.place != Place::host) return;
    for (const Published& port : published(*c.container)) {
      if (!port.host_ip.empty() && port.host_ip != "0.0.0.0") continue;
      bool marked = false;
      for (const firewall::PortMark& mark : marks) marked = marked || covers(mark, port);
      const firewall::Dnat* dnat =
          firewall::first_for_anybody(all, port.udp ? kUdp : kTcp, IpAddress::v4(kLoopback), port.host_port);
      if (marked || dnat == nullptr) continue;
      Finding f = finding(
          kNatMarkMissing.id, Severity::error, c.subject(),
          "a published port does not answer on 127.0.0.1 nor from its own subnet: the rule that hides "
          "those sources is gone");
      f.evidence = {"DNAT for " + port.text() +
                    " is there, but no rule marks packets from 127.0.0.1 to it for masquerade "
                    "(NETAVARK-HOSTPORT-SETMARK)"};
      f.fix = {reload(facts, c),
               "lasting: podman 5.3 or later; before, a second container with the same port removes it"};
      out.push_back(std::move(f));
      return;
    }
  });
}

}  // namespace nat_mark_missing

const Check kNatMarkMissing{"nat.mark-missing", "masquerade marks of a published port are missing",
                            "Clients outside work; 127.0.0.1:PORT and access from the container's own subnet "
                            "time out. Before podman 5.3 a "
                            "second container with the same host port fails to start, and its cleanup "
                            "removes the first one's SETMARK rules. "
                            "Proof: the DNAT rule is there, the two SETMARK rules are not.",
                            nat_mark_missing::check};

}  // namespace podshark::diagnose
