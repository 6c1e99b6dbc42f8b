// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace port_pasta_v6_only {

void check_port(const Facts& facts, const ContainerFacts& c, const Published& port, Findings& out) {
  const model::Listener *ours = nullptr, *other = nullptr;
  for (const model::Listener& l : facts.host.listeners) {
    if (l.port != port.host_port || l.udp != port.udp) continue;
    const bool pasta = l.program.starts_with("pasta") || l.program.starts_with("passt");
    if (pasta && l.v6) ours = &l;
    if (pasta && !l.v6) return;
    if (!pasta && !l.v6) other = &l;
  }
  if (ours == nullptr || other == nullptr) return;
  Finding f = finding(kPortPastaV6Only.id, Severity::error, c.subject(),
                      "its port answers on IPv6 only: IPv4 clients reach another program");
  f.evidence = {"pasta listens on [::]:" + std::to_string(port.host_port) + "; " + other->address.text() +
                ":" + std::to_string(port.host_port) + " belongs to " + owner_text(*other)};
  f.fix = {"stop that program or publish another port, then " + restart(facts, c)};
  out.push_back(std::move(f));
}

void check(const Facts& facts, Findings& out) {
  each_running(facts, [&](const ContainerFacts& c) {
    if (c.container->kind != model::NetworkKind::pasta) return;
    for (const Published& port : published(*c.container)) check_port(facts, c, port, out);
  });
}

}  // namespace port_pasta_v6_only

const Check kPortPastaV6Only{
    "port.pasta-v6-only", "pasta got a port for IPv6 alone",
    "The container runs, but IPv4 clients reach something else: pasta of 2025-05 starts although only the "
    "IPv4 side "
    "of its port is taken. Proof: pasta listens on [::]:PORT only, and another program on 0.0.0.0:PORT.",
    port_pasta_v6_only::check};

}  // namespace podshark::diagnose
