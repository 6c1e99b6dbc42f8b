// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace rootless_started_before_network {

// The link of the host's present IPv4 default route.
const model::Link* default_link(const Netns& net) {
  const model::Route* best = default_route(net);
  return best == nullptr ? nullptr : net.link(best->oif);
}

void check_tap(const Facts& facts, const ContainerFacts& c, const model::Link& tap, const model::Link& now,
               Findings& out) {
  bool same_address = false;
  for (const std::string& text : tap.addresses) {
    for (const std::string& host : now.addresses)
      same_address = same_address || IpAddress::parse(text) == IpAddress::parse(host);
  }
  const bool routed = default_link(c.net) != nullptr;
  if (tap.name == now.name && same_address && routed) return;
  // With a route of its own it may well reach what it needs: the host has two uplinks, or got another since.
  Finding f =
      finding(kStartedBeforeNetwork.id, routed ? Severity::warning : Severity::error, c.subject(),
              routed ? "it started when the host's network was another: pasta copied a link that the "
                       "host's default route does not use now"
                     : "it started before the host's network was ready: pasta copied a link that leads "
                       "nowhere");
  f.evidence = {routed ? "inside: " + tap.name + (tap.addresses.empty() ? "" : " " + tap.addresses.front()) +
                             "; the host's default route now goes through " + now.name +
                             (now.addresses.empty() ? "" : " " + now.addresses.front())
                       : "no default route inside, though the host has one through " + now.name};
  f.fix = {restart(facts, c), "lasting: start it after network-online.target"};
  out.push_back(std::move(f));
}

void check(const Facts& facts, Findings& out) {
  const model::Link* now = facts.host.visible ? default_link(facts.host) : nullptr;
  if (now == nullptr) return;
  each_running(facts, [&](const ContainerFacts& c) {
    if (c.container->kind != model::NetworkKind::pasta || shares(facts, c) || !c.net.visible) return;
    if (c.container->mode.find(':') != std::string::npos) return;  // pasta with options: the user chose links
    // pasta makes its link before anything runs inside; a VPN's and those of containers inside come later.
    const model::Link* tap = nullptr;
    for (const model::Link& l : c.net.links) {
      if (!l.loopback() && (tap == nullptr || l.ifindex < tap->ifindex)) tap = &l;
    }
    if (tap != nullptr) check_tap(facts, c, *tap, *now, out);
  });
}

}  // namespace rootless_started_before_network

const Check kStartedBeforeNetwork{"rootless.started-before-network",
                                  "a pasta container started before the network",
                                  "No outbound connections (ENETUNREACH); published ports hang from outside "
                                  "and work on the host. pasta copies the "
                                  "link, address and routes of the host's default route when the container "
                                  "starts; there was none then, or another. "
                                  "Proof: name or address inside are not those of the present default route.",
                                  rootless_started_before_network::check};

}  // namespace podshark::diagnose
