// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace rootless_pasta_host_address {

void check(const Facts& facts, Findings& out) {
  const ContainerFacts* source = source_of(facts);
  if (source == nullptr || !facts.question.address || !own_address(facts.host, *facts.question.address))
    return;
  const bool bridged =
      source->place == Place::rootless && source->bridged() && facts.uplink.program == "pasta";
  if (source->container->kind != model::NetworkKind::pasta && !bridged) return;
  if (facts.question.address->loopback()) return;
  Finding f = finding(kPastaHostAddress.id, Severity::warning, source->subject(),
                      "the host's own address means the container itself there: pasta gave it the same one");
  f.evidence = {facts.question.address->text() + " is the host's address and, by pasta, the container's" +
                (bridged ? " uplink's" : "")};
  f.fix = {"use host.containers.internal (169.254.1.2; podman 5.3 and later)"};
  out.push_back(std::move(f));
}

}  // namespace rootless_pasta_host_address

const Check kPastaHostAddress{"rootless.pasta-host-address", "the host's address from a pasta container",
                              "By design: connections from the container to the host's own address are "
                              "refused, since pasta gives the container "
                              "that very address. Use host.containers.internal.",
                              rootless_pasta_host_address::check};

}  // namespace podshark::diagnose
