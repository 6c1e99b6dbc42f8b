// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace rootless_pasta_dead {

void check(const Facts& facts, Findings& out) {
  each_running(facts, [&](const ContainerFacts& c) {
    if (c.container->kind != model::NetworkKind::pasta || shares(facts, c) || !c.net.visible) return;
    bool tap = false;
    for (const model::Link& l : c.net.links) tap = tap || !l.loopback();
    if (tap) return;
    Finding f =
        finding(kPastaDead.id, Severity::error, c.subject(),
                "pasta, which carries its packets, is gone: it is cut off, and its published ports refuse");
    f.evidence = {"its network namespace has no link but lo; pasta's tap device vanishes with pasta"};
    f.fix = {restart(facts, c) + "   # network reload does not work for pasta"};
    out.push_back(std::move(f));
  });
}

}  // namespace rootless_pasta_dead

const Check kPastaDead{"rootless.pasta-dead", "pasta is dead",
                       "Published ports refuse, inside there is only lo. Each default rootless container of "
                       "podman 5 has its own pasta; "
                       "killed, it is not started again. Proof: no tap device in the namespace.",
                       rootless_pasta_dead::check};

}  // namespace podshark::diagnose
