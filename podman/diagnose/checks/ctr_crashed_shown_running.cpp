// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace ctr_crashed_shown_running {

void check(const Facts& facts, Findings& out) {
  for (const ContainerFacts& c : facts.containers) {
    if (!c.claims_to_run || c.container->alive() || !in_scope(facts, c)) continue;
    Finding f = finding(kCtrCrashedShownRunning.id, Severity::error, c.subject(),
                        "podman lists it as running, but its process is gone");
    f.evidence = {
        "podman's state says " + c.container->state +
        "; the process it names does not exist, is a zombie, or is not a child of the container's conmon"};
    f.fix = {
        podman(facts, c) + " rm -f " + c.name() + "   # podman 5.4 needs it twice; then create it anew",
        "or, to keep it: " + podman(facts, c) + " container cleanup " + c.name() + " and start it again"};
    out.push_back(std::move(f));
  }
}

}  // namespace ctr_crashed_shown_running

const Check kCtrCrashedShownRunning{
    "ctr.crashed-shown-running", "podman shows a dead container as running",
    "conmon was killed together with the container (out of memory, kill -9, a crash), so nobody told podman. "
    "It is "
    "listed as running, nothing answers, and its firewall rules stay. Proof: the pid of `podman inspect` "
    "does not "
    "exist, is in state Z, or has another parent than the container's conmon.",
    ctr_crashed_shown_running::check};

}  // namespace podshark::diagnose
