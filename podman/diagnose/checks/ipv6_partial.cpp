// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace ipv6_partial {

bool has_v6(const ContainerFacts& c) {
  for (const model::Attachment& a : c.container->networks) {
    for (const std::string& text : a.addresses) {
      const std::optional<IpAddress> address = IpAddress::parse(text);
      if (address && !address->is_v4()) return true;
    }
  }
  return false;
}

bool publishes(const ContainerFacts& c, const std::optional<std::uint16_t>& port) {
  for (const Published& p : published(*c.container)) {
    if (!port || p.host_port == *port) return true;
  }
  return false;
}

void check_loopback(const Facts& facts, Findings& out) {
  const bool asked = facts.question.address && !facts.question.address->is_v4();
  each_bridged(facts, [&](const ContainerFacts& c) {
    if (!asked || c.place != Place::host || !publishes(c, facts.question.port)) return;
    const bool dual = has_v6(c);
    if (dual && !facts.question.address->loopback()) return;
    Finding f =
        finding(kIpv6Partial.id, Severity::warning, c.subject(),
                dual ? "its published ports hang on [::1]: there is no IPv6 counterpart of route_localnet"
                     : "its published ports do not answer on IPv6: its network has no IPv6 subnet");
    f.evidence = {dual ? "the network has IPv4 and IPv6; the host's other IPv6 addresses work"
                       : "no IPv6 address in the container, and conmon listens on 0.0.0.0 only"};
    f.fix = {"use 127.0.0.1: 'localhost' may be resolved to ::1 first"};
    if (!dual) f.fix.push_back("or give it a network made with podman network create --ipv6");
    out.push_back(std::move(f));
  });
}

void check_advertisements(const Facts& facts, Findings& out) {
  if (facts.host.state.all.forwarding6 != 1) return;
  for (const model::LinkSettings& s : facts.host.state.links) {
    const model::Link* link = facts.host.link(s.ifindex);
    const bool uplink = link != nullptr && link->kind != "bridge" && link->master == 0 && !link->loopback() &&
                        link->kind != "veth";
    if (!uplink || s.accept_ra != 1) continue;
    Finding f = finding(
        kIpv6Partial.id, Severity::info, "the host",
        "with IPv6 forwarding on, the host ignores router advertisements and may lose its IPv6 default "
        "route");
    f.evidence = {"net.ipv6.conf.all.forwarding = 1 and accept_ra = 1 on " + link->name};
    f.fix = {sudo(facts) + "sysctl -w net.ipv6.conf." + link->name + ".accept_ra=2"};
    out.push_back(std::move(f));
  }
}

void check(const Facts& facts, Findings& out) {
  check_loopback(facts, out);
  check_advertisements(facts, out);
}

}  // namespace ipv6_partial

const Check kIpv6Partial{"ipv6.partial", "IPv6 works only partly",
                         "A network without IPv6: [::1]:PORT and the host's IPv6 addresses refuse. A "
                         "dual-stack network: [::1]:PORT hangs, "
                         "other addresses work. And once netavark has set IPv6 forwarding, a host whose "
                         "uplink has accept_ra=1 ignores "
                         "router advertisements.",
                         ipv6_partial::check};

}  // namespace podshark::diagnose
