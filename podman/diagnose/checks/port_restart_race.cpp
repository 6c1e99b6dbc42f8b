// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace port_restart_race {

void check(const Facts& facts, Findings& out) {
  each_not_started(facts, [&](const ContainerFacts& c) {
    const std::string error = start_error(c, {"Failed to bind port", "Listen failed for HOST"});
    if (error.find("already in use") == std::string::npos || c.container->kind != model::NetworkKind::pasta)
      return;
    for (const Published& port : published(*c.container)) {
      for (const model::Listener& l : facts.host.listeners) {
        if (l.port == port.host_port && l.udp == port.udp)
          return;  // it is still in use: another check's matter
      }
    }
    Finding f = finding(kPortRestartRace.id, Severity::error, c.subject(),
                        "it did not start: its port was in use then, but is free now");
    f.certainty = 80;
    f.evidence = {"podman: " + error,
                  "nobody holds the port now: most likely the old pasta had not let go of it"};
    f.fix = {podman(facts, c) + " start " + c.name()};
    out.push_back(std::move(f));
  });
}

}  // namespace port_restart_race

const Check kPortRestartRace{
    "port.restart-race", "a restart met its own old port forwarder",
    "`podman restart` of a pasta container fails because the pasta of its previous life still holds the "
    "port; the "
    "container stays down. Seen with podman 5.4, not with 5.8. Starting it again works.",
    port_restart_race::check};

}  // namespace podshark::diagnose
