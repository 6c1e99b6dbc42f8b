// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace ct_udp_stale {

constexpr std::uint8_t kUdp = 17;

// Any other that uses the port is the business of whoever sent it: the container's or the host's own question
// to a server outside.
bool to_published(const Facts& facts, const IpAddress& to, const Published& port) {
  const std::optional<IpAddress> bound = one_address(port);
  return bound ? to == *bound : to.loopback() || own_address(facts.host, to);
}

void check_port(const Facts& facts, const ContainerFacts& c, const Published& port, Findings& out) {
  for (const model::Conntrack& entry : *facts.host.conntrack) {
    if (entry.protocol != kUdp || entry.orig.destination_port != port.host_port) continue;
    if (!to_published(facts, entry.orig.destination, port)) continue;
    // Of a family that the container has no address of, there is no DNAT: the host itself answers.
    if (!has_family(c, entry.orig.destination.is_v4())) continue;
    if (has_address(c, entry.reply.source) || has_address(c, entry.orig.destination)) continue;
    if (entry.orig.destination.loopback() != entry.reply.source.loopback()) continue;
    // To the host's own, by a rule that changes the port alone: aardvark-dns with dns_bind_port.
    if (entry.reply.source == entry.orig.destination &&
        entry.reply.source_port != entry.orig.destination_port)
      continue;
    const bool no_dnat = entry.reply.source == entry.orig.destination;
    Finding f = finding(
        kCtUdpStale.id, Severity::error, c.subject(),
        no_dnat
            ? "a client that sent before the container started is still remembered as one of the host's own"
            : "a client is still sent to an address that the container does not have any more");
    f.evidence = {"connection tracking: udp " + entry.orig.source.text() + ":" +
                  std::to_string(entry.orig.source_port) + " → " + entry.orig.destination.text() + ":" +
                  std::to_string(port.host_port) + " is answered by " + entry.reply.source.text() +
                  (entry.seen_reply ? "" : " [UNREPLIED]") + "; each packet renews the entry"};
    f.fix = {sudo(facts) + "conntrack -D -p udp --dport " + std::to_string(port.host_port)};
    out.push_back(std::move(f));
    return;
  }
}

void check(const Facts& facts, Findings& out) {
  if (!facts.host.conntrack) return;
  each_bridged(facts, [&](const ContainerFacts& c) {
    if (c.place != Place::host) return;
    for (const Published& port : published(*c.container)) {
      if (port.udp) check_port(facts, c, port, out);
    }
  });
}

}  // namespace ct_udp_stale

const Check kCtUdpStale{
    "ct.udp-stale", "connection tracking remembers a UDP client wrongly",
    "A steady UDP client with a fixed source port gets no answer, a new one does. It sent before the "
    "container started, "
    "so its entry has no DNAT, or the container came back with another address. Proof: `conntrack -L -p udp` "
    "shows an "
    "entry for the published port whose reply does not come from the container's address.",
    ct_udp_stale::check};

}  // namespace podshark::diagnose
