// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace net_internal {

void check(const Facts& facts, Findings& out) {
  each_bridged(facts, [&](const ContainerFacts& c) {
    const std::vector<Leg> all = legs(facts, c);
    if (!only_internal(facts, c)) return;
    const bool asked =
        (is_target(facts, c) && asks_from_outside(facts, c)) || (is_source(facts, c) && asks_outward(facts));
    Finding f = finding(kNetInternal.id, asked ? Severity::error : Severity::info, c.subject(),
                        "its network is internal: no outbound connections, and published ports lead nowhere");
    f.evidence = {"network " + all.front().network->name + " was created with --internal"};
    if (!c.container->ports.empty())
      f.evidence.push_back("-p was accepted and is listed, but there is no DNAT for it: connections hang");
    f.fix = {podman(facts, c) +
             " network create NAME, and a container on it for what is to be reached from outside"};
    out.push_back(std::move(f));
  });
}

}  // namespace net_internal

const Check kNetInternal{"net.internal", "the network is internal",
                         "By design: outbound connections fail with ENETUNREACH, published ports are "
                         "accepted and listed, but connections "
                         "to them hang. Proof: internal is true in `podman network inspect`, and there is no "
                         "default route inside.",
                         net_internal::check};

}  // namespace podshark::diagnose
