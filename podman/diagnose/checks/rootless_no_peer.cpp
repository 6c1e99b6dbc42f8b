// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace rootless_no_peer {

bool alone(const ContainerFacts& c) {
  return c.container->kind == model::NetworkKind::slirp4netns ||
         c.container->kind == model::NetworkKind::pasta;
}

void check(const Facts& facts, Findings& out) {
  const ContainerFacts* source = source_of(facts);
  const ContainerFacts* target = target_of(facts);
  const bool asked = source != nullptr && target != nullptr && source != target && !facts.question.published;
  if (!asked || is_source(facts, *target) || (!alone(*source) && !alone(*target))) return;
  Finding f = finding(
      kNoPeer.id, Severity::warning, source->subject(),
      "it and " + target->subject() + " are not on a common network: neither knows a way to the other");
  f.evidence = {source->subject() + ": " + model::to_string(source->container->kind) + "; " +
                target->subject() + ": " + model::to_string(target->container->kind) +
                "; every such container is alone in its namespace, with an address that others have too"};
  f.fix = {podman(facts, *source) + " network create NAME, and --network NAME for both",
           "or a pod: they then share 127.0.0.1", "or through a published port of the host"};
  out.push_back(std::move(f));
}

}  // namespace rootless_no_peer

const Check kNoPeer{"rootless.no-peer", "default rootless containers do not see each other",
                    "By design: containers without --network, rootless, have each their own namespace behind "
                    "slirp4netns or pasta, and "
                    "often the same address. They need a common network or a pod.",
                    rootless_no_peer::check};

}  // namespace podshark::diagnose
