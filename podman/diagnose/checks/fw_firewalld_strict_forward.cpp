// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace fw_firewalld_strict_forward {

Finding strict(const Facts& facts, const ContainerFacts& c, const Published& port) {
  Finding f = finding(kFwFirewalldStrictForward.id, Severity::error, c.subject(),
                      "firewalld forbids port forwarding that it does not know of");
  f.evidence = {"StrictForwardPorts=yes in /etc/firewalld/firewalld.conf"};
  const std::optional<IpAddress> address = address_of(facts, c);
  f.fix = {sudo(facts) + "firewall-cmd --add-forward-port=port=" + std::to_string(port.host_port) +
               ":proto=" + port.protocol() + ":toport=" + std::to_string(port.container_port) +
               ":toaddr=" + (address ? address->text() : std::string("ADDRESS")) + "   # for clients outside",
           "or StrictForwardPorts=no there, then firewall-cmd --reload and " + reload(facts, c)};
  return f;
}

void check(const Facts& facts, Findings& out) {
  for (const ContainerFacts& c : facts.containers) {
    if (c.container->rootless || !in_scope(facts, c) || shares(facts, c)) continue;
    const std::vector<Published> ports = published(*c.container);
    const std::string error = start_error(c, {"StrictForwardPorts"});
    if (ports.empty() ||
        (error.empty() && !(facts.firewalld.running && facts.firewalld.strict_forward_ports && c.bridged())))
      continue;
    Finding f = strict(facts, c, ports.front());
    if (!error.empty()) f.evidence.push_back("podman: " + error);
    out.push_back(std::move(f));
  }
}

}  // namespace fw_firewalld_strict_forward

const Check kFwFirewalldStrictForward{
    "fw.firewalld-strict-forward", "firewalld's StrictForwardPorts",
    "netavark 1.14: the container runs, its port answers EHOSTUNREACH everywhere. Later: a container with -p "
    "does not "
    "start. Proof: StrictForwardPorts=yes in firewalld.conf, or the start error.",
    fw_firewalld_strict_forward::check};

}  // namespace podshark::diagnose
