// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace dns_upstream_dead {

void check(const Facts& facts, Findings& out) {
  if (facts.trials.empty()) return;
  std::vector<std::string> failed;
  for (const ResolverTrial& trial : facts.trials) {
    if (trial.answered) return;  // one that answers is enough
    failed.push_back("name server " + trial.server + " of the host: " + trial.why);
  }
  each_running(facts, [&](const ContainerFacts& c) {
    if (c.container->kind == model::NetworkKind::none || shares(facts, c) || only_internal(facts, c)) return;
    Finding f = finding(kDnsUpstreamDead.id, Severity::warning, c.subject(),
                        "names outside of podman do not resolve: none of the host's name servers answers");
    f.evidence = failed;
    f.fix = {
        "put a working name server into /etc/resolv.conf and restart the container, or use --dns ADDRESS"};
    out.push_back(std::move(f));
  });
}

}  // namespace dns_upstream_dead

const Check kDnsUpstreamDead{"dns.upstream-dead", "the host's name servers do not answer",
                             "Names of the outside world time out in containers, names of containers "
                             "resolve. The name servers of the host's "
                             "resolv.conf are unreachable, or listen on a loopback address of the host only. "
                             "Proof: a query to each of them.",
                             dns_upstream_dead::check};

}  // namespace podshark::diagnose
