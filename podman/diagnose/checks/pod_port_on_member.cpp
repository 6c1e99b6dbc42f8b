// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/core/text.h"
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace pod_port_on_member {

void check(const Facts& facts, Findings& out) {
  const ContainerFacts* target = target_of(facts);
  if (target == nullptr || target->container->pod_id.empty() || target->container->infra) return;
  const bool asks = target->container->asks_ports;
  bool listed = target->container->ports.empty();
  for (const ContainerFacts& c : facts.containers) {
    if (c.container->infra && c.container->pod_id == target->container->pod_id)
      listed = !c.container->ports.empty();
  }
  if (listed && !asks) return;
  const model::Pod* pod = facts.inventory.pod_by_id(target->container->pod_id);
  Finding f = finding(
      kPodPortOnMember.id, Severity::info, target->subject(),
      "it is a member of a pod: ports and networks belong to the pod, options of the member have no effect");
  f.evidence = {"its network namespace is that of pod " +
                (pod != nullptr ? one_line(pod->name, 64) : std::string("?")) +
                "'s infra container, and the pod publishes no port"};
  f.fix = {podman(facts, *target) +
           " pod create -p HOST:CONTAINER --network NET …, with the containers made anew in it"};
  out.push_back(std::move(f));
}

}  // namespace pod_port_on_member

const Check kPodPortOnMember{
    "pod.port-on-member", "ports and networks of a pod's member",
    "By design: -p is refused for a member of a pod, and --network is accepted and ignored; both belong to "
    "`podman pod "
    "create`. Proof: the member's NetworkMode is container:INFRA, ports are on the infra container only.",
    pod_port_on_member::check};

}  // namespace podshark::diagnose
