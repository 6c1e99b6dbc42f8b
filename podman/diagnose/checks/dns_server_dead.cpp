// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace dns_server_dead {

bool serves(const Facts& facts, const std::string& address) {
  const std::optional<IpAddress> wanted = IpAddress::parse(address);
  return wanted &&
         (name_server(facts.host, *wanted) != nullptr || name_server(facts.rootless, *wanted) != nullptr);
}

void check(const Facts& facts, Findings& out) {
  if (facts.resolver.alive) return;
  each_bridged(facts, [&](const ContainerFacts& c) {
    for (const Leg& leg : legs(facts, c)) {
      if (leg.network == nullptr || !leg.network->dns || leg.attachment->gateway.empty()) continue;
      if (!resolver_of(facts, c) || serves(facts, leg.attachment->gateway)) continue;
      if (foreign_dns(facts, c.place) != nullptr) continue;  // another check's matter
      Finding f = finding(kDnsServerDead.id, Severity::error, c.subject(),
                          "the name server of its network is not running: names do not resolve in it");
      f.evidence = {"nobody listens on " + leg.attachment->gateway + " port 53, which its resolv.conf names" +
                    (facts.resolver.pid != 0
                         ? "; aardvark-dns (pid " + std::to_string(facts.resolver.pid) + ") is gone"
                         : std::string())};
      f.fix = {reload(facts, c)};
      if (facts.resolver.pid == 0)
        f.fix.push_back(
            "where aardvark-dns is not installed: install it and restart the container, since "
            "netavark goes on without it and says nothing");
      out.push_back(std::move(f));
      return;
    }
  });
}

}  // namespace dns_server_dead

const Check kDnsServerDead{"dns.server-dead", "aardvark-dns is dead",
                           "Queries to the gateway's port 53 are refused; addresses work. Proof: the process "
                           "of aardvark.pid is gone and no "
                           "UDP socket is bound to GATEWAY:53.",
                           dns_server_dead::check};

}  // namespace podshark::diagnose
