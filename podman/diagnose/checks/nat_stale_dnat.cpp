// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/ways.h"
#include "podman/firewall/queries.h"

namespace podshark::diagnose {

namespace nat_stale_dnat {

constexpr std::uint8_t kTcp = 6, kUdp = 17;

bool lives(const Facts& facts, const IpAddress& address) {
  for (const ContainerFacts& c : facts.containers) {
    if (c.container->alive() && has_address(c, address)) return true;
  }
  return false;
}

std::string dead_name(const Facts& facts, const firewall::Dnat& d, const IpAddress& address) {
  for (const ContainerFacts& c : facts.containers) {
    if (c.container->alive()) continue;
    if ((!d.owner.empty() && c.container->id == d.owner) || has_address(c, address)) return c.name();
  }
  return {};
}

void check_port(const Facts& facts, const ContainerFacts& c, const std::vector<firewall::Dnat>& all,
                const Published& port, Findings& out) {
  const std::optional<IpAddress> one = one_address(port);
  const std::optional<IpAddress> host = one ? one : host_address(facts);
  const firewall::Dnat* first =
      host ? firewall::first_for_anybody(all, port.udp ? kUdp : kTcp, *host, port.host_port) : nullptr;
  if (first == nullptr || !first->target.address) return;
  const IpAddress to = first->target.address->first;
  if (has_address(c, to) || lives(facts, to)) return;
  Finding f = finding(
      kNatStaleDnat.id, Severity::error, c.subject(),
      "its published port still leads to a container that is dead: the old rule stands before the new one");
  f.evidence = {port.text() + " goes to " + to.text() + ", which no running container has, by " +
                firewall::describe(first->rule)};
  const std::string dead = dead_name(facts, *first, to);
  if (!first->owner.empty())
    f.evidence.push_back("the rule belongs to container " + first->owner.substr(0, 12));
  f.fix = {podman(facts, c) + " rm -f " + (dead.empty() ? "DEAD-CONTAINER" : dead) +
               "   # podman 5.4 needs it twice",
           "or delete that rule, then " + podman(facts, c) + " network reload -a"};
  out.push_back(std::move(f));
}

void check(const Facts& facts, Findings& out) {
  if (!facts.host.firewall) return;
  const std::vector<firewall::Dnat> all = firewall::dnats(*facts.host.firewall, firewall::Hook::prerouting);
  each_bridged(facts, [&](const ContainerFacts& c) {
    if (c.place != Place::host) return;
    for (const Published& port : published(*c.container)) check_port(facts, c, all, port, out);
  });
}

}  // namespace nat_stale_dnat

const Check kNatStaleDnat{"nat.stale-dnat", "a dead container's rule takes the port",
                          "Connections are refused or find no route, although a healthy container publishes "
                          "the port. A container died "
                          "without cleanup (conmon killed, a crash), and its DNAT stands before the new one. "
                          "Proof: two DNATs for one port, "
                          "the first to an address that no running container has.",
                          nat_stale_dnat::check};

}  // namespace podshark::diagnose
