// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace port_host_ip {

void check(const Facts& facts, Findings& out) {
  each_running(facts, [&](const ContainerFacts& c) {
    if (shares(facts, c)) return;
    for (const Published& port : published(*c.container)) {
      const std::optional<IpAddress> bound = IpAddress::parse(port.host_ip);
      if (!bound || *bound == IpAddress{} || bound->text() == "0.0.0.0") continue;
      const bool elsewhere = asks_own_port(facts, c) && facts.question.port == port.host_port &&
                             *facts.question.address != *bound;
      Finding f =
          finding(kPortHostIp.id, elsewhere ? Severity::error : Severity::info, c.subject(),
                  bound->loopback()
                      ? "a port is published on the host's loopback address: other machines cannot reach it"
                      : "a port is published on one address of the host only");
      f.evidence = {"published as " + port.text() +
                    (elsewhere ? ", asked for at " + facts.question.address->text() : "")};
      f.fix = {"to serve every address, create the container with -p " + std::to_string(port.host_port) +
               ":" + std::to_string(port.container_port) + (port.udp ? "/udp" : "")};
      out.push_back(std::move(f));
    }
  });
}

}  // namespace port_host_ip

const Check kPortHostIp{"port.host-ip", "the port is published on one address",
                        "It works on that address of the host and is refused on all others. By design, if -p "
                        "was given an address. "
                        "Proof: HostIp of `podman inspect`; the firewall's rules carry the address.",
                        port_host_ip::check};

}  // namespace podshark::diagnose
