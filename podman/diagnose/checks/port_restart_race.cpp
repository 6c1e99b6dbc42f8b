// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace port_restart_race {

bool held(const Facts& facts, const Published& port) {
  return std::any_of(facts.host.listeners.begin(), facts.host.listeners.end(),
                     [&](const model::Listener& l) { return l.port == port.host_port && l.udp == port.udp; });
}

void check(const Facts& facts, Findings& out) {
  each_not_started(facts, [&](const ContainerFacts& c) {
    const std::string error = start_error(c, {"Failed to bind port", "Listen failed for HOST"});
    const bool said = error.find("already in use") != std::string::npos;
    const bool silent = c.restart_failed && c.container->error.empty();
    if ((!said && !silent) || c.container->kind != model::NetworkKind::pasta) return;
    const std::vector<Published> ports = published(*c.container);
    // Still in use: another check's matter.
    if (ports.empty() ||
        std::any_of(ports.begin(), ports.end(), [&](const Published& p) { return held(facts, p); }))
      return;
    Finding f = finding(kPortRestartRace.id, Severity::error, c.subject(),
                        said ? "it did not start: its port was in use then, but is free now"
                             : "its restart failed and left it down");
    f.certainty = said ? 80 : 60;
    f.evidence = {
        said ? "podman: " + error
             : "of podman's events on it the last is 'restart', and no 'start' followed; why, podman does "
               "not keep",
        "nobody holds " + ports.front().text() + " now: most likely the old pasta had not let go of it"};
    const std::string start = podman(facts, c) + " start " + c.name();
    f.fix = {start, "next time leave it a moment: " + podman(facts, c) + " stop " + c.name() +
                        " && sleep 1 && " + start};
    out.push_back(std::move(f));
  });
}

}  // namespace port_restart_race

const Check kPortRestartRace{
    "port.restart-race", "a restart met its own old port forwarder",
    "`podman restart` of a pasta container fails because the pasta of its previous life still holds the "
    "port; "
    "the container stays down, and podman does not keep the reason. Seen with podman 5.4, not with 5.8. "
    "Starting "
    "it again works. Proof: podman's events end with 'restart', and nobody holds the port any more.",
    port_restart_race::check};

}  // namespace podshark::diagnose
