// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace dns_default_network {

bool without_names(const Facts& facts, const ContainerFacts& c) {
  const std::vector<Leg> all = legs(facts, c);
  for (const Leg& leg : all) {
    if (leg.network == nullptr || leg.network->dns) return false;
  }
  return !all.empty();
}

void check(const Facts& facts, Findings& out) {
  const ContainerFacts* source = source_of(facts);
  const ContainerFacts* target = target_of(facts);
  each_bridged(facts, [&](const ContainerFacts& c) {
    if (!without_names(facts, c) || shares(facts, c)) return;
    // Only who asks from one container for another may be using its name.
    const bool asked = source != nullptr && target != nullptr && is_source(facts, c) && !is_target(facts, c);
    Finding f = finding(kDnsDefaultNetwork.id, asked ? Severity::warning : Severity::info, c.subject(),
                        "names of other containers do not resolve in it: its network has no name service");
    f.certainty = asked ? 60 : 100;
    f.evidence = {"dns_enabled is false for network " + legs(facts, c).front().network->name +
                  ", as it is for the default network"};
    f.fix = {podman(facts, c) + " network create NAME, and --network NAME for both containers"};
    out.push_back(std::move(f));
  });
}

}  // namespace dns_default_network

const Check kDnsDefaultNetwork{
    "dns.default-network", "no container names on the default network",
    "By design: on network 'podman' containers do not find each other by name, addresses work. Networks made "
    "with "
    "`podman network create` have the name service. Proof: dns_enabled of `podman network inspect`.",
    dns_default_network::check};

}  // namespace podshark::diagnose
