// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/ways.h"
#include "podman/firewall/queries.h"

namespace podshark::diagnose {

namespace fw_rules_flushed {

constexpr std::uint8_t kTcp = 6, kUdp = 17;
constexpr std::uint8_t kAny[4] = {};

// Internal networks and those that podman does not manage have none.
bool has_rules(const Facts& facts, const ContainerFacts& c) {
  const std::vector<Leg> all = legs(facts, c);
  return all.empty() || std::any_of(all.begin(), all.end(), [](const Leg& leg) { return leg.routed(); });
}

// Where the container has no address of the family that a port is published on, netavark makes no rule for
// it.
bool wants_rule(const ContainerFacts& c, const Published& port) {
  const std::optional<IpAddress> on = IpAddress::parse(port.host_ip);
  return !on || has_family(c, on->is_v4());
}

// An address that its rules must take: where every address is published, one of IPv4, unless "[::]" was asked
// for or its networks have IPv6 alone. Of IPv6 any will do then, since the rules ask only whether it is
// local.
IpAddress published_address(const Facts& facts, const ContainerFacts& c, const Published& port) {
  if (const std::optional<IpAddress> one = one_address(port)) return *one;
  const bool v6 = IpAddress::parse(port.host_ip) == IpAddress{} || !has_family(c, /* v4= */ true);
  return v6 ? IpAddress{} : host_address(facts).value_or(IpAddress::v4(kAny));
}

bool has_dnat(const Facts& facts, const ContainerFacts& c, const std::vector<firewall::Dnat>& all,
              const Published& port) {
  return firewall::first_for_anybody(all, port.udp ? kUdp : kTcp, published_address(facts, c, port),
                                     port.host_port) != nullptr;
}

bool meant(const Facts& facts, const ContainerFacts& c, const Published& port) {
  for (const IntendedPort& p : facts.intended.ports) {
    const unsigned first = p.port.host_port;
    if (p.container_id == c.container->id && (p.port.protocol == "udp") == port.udp &&
        port.host_port >= first && port.host_port < first + p.port.range)
      return true;
  }
  return false;
}

Finding flushed(const Facts& facts, const ContainerFacts& c) {
  Finding f = finding(kFwRulesFlushed.id, Severity::error, c.subject(),
                      "the firewall rules that podman made are gone: something has flushed or replaced them");
  f.fix = {podman(facts, c) + " network reload -a",
           "lasting: enable netavark-firewalld-reload.service, or run 'netavark firewall-reload' (1.17 and "
           "later) after the firewall's own reload"};
  return f;
}

// conmon holds a port without ever accepting: only connections that no DNAT took wait there.
std::string waiting_text(const Facts& facts, const Published& port) {
  const model::Listener* l = host_listener(facts, port);
  if (l == nullptr || port.udp || l->waiting == 0) return {};
  return std::to_string(l->waiting) + " connections to port " + std::to_string(port.host_port) + " wait at " +
         owner_text(*l) + ", which only reserves the port and never answers";
}

void check_ports(const Facts& facts, const ContainerFacts& c, const std::vector<firewall::Dnat>& all,
                 Findings& out) {
  Finding f = flushed(facts, c);
  for (const Published& port : published(*c.container)) {
    if (!wants_rule(c, port) || has_dnat(facts, c, all, port)) continue;
    if (f.evidence.size() < 4)
      f.evidence.push_back("no DNAT for " + port.text() + " in any table" +
                           (meant(facts, c, port) ? ", though netavark has recorded that it made one" : ""));
    const std::string waiting = waiting_text(facts, port);
    if (!waiting.empty() && f.evidence.size() < 6) f.evidence.push_back(waiting);
  }
  if (!f.evidence.empty()) out.push_back(std::move(f));
}

void check_no_rules(const Facts& facts, const ContainerFacts& c, Findings& out) {
  Finding f = flushed(facts, c);
  f.evidence = {"neither nft nor iptables has any chain of netavark's" +
                std::string(c.place == Place::rootless ? " in the rootless network namespace" : "") +
                ": no masquerade for its own connections"};
  out.push_back(std::move(f));
}

void check(const Facts& facts, Findings& out) {
  const std::string& driver = facts.intended.driver;
  if (driver == "none" || driver == "firewalld") return;
  const std::vector<firewall::Dnat> all =
      facts.host.firewall ? firewall::dnats(*facts.host.firewall, firewall::Hook::prerouting)
                          : std::vector<firewall::Dnat>();
  each_bridged(facts, [&](const ContainerFacts& c) {
    const Netns& there = facts.where(c.place);
    if (!there.firewall || !has_rules(facts, c)) return;
    if (!firewall::has_netavark(*there.firewall).any()) {
      // podman 4 may still use CNI's plugins, whose rules are others.
      if (!firewall::has_cni(*there.firewall)) check_no_rules(facts, c, out);
    } else if (c.place == Place::host) {
      check_ports(facts, c, all, out);
    }
  });
}

}  // namespace fw_rules_flushed

const Check kFwRulesFlushed{
    "fw.rules-flushed", "podman's firewall rules are gone",
    "Connections to published ports are accepted and then hang; outbound connections are dead; the "
    "container's own "
    "address still answers from the host. Something ran iptables -F, nft flush ruleset, or restarted "
    "nftables.service. "
    "Proof: no DNAT for the published port, and connections pile up at conmon's listener (Recv-Q).",
    fw_rules_flushed::check};

}  // namespace podshark::diagnose
