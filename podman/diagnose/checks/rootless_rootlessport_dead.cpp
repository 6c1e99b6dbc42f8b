// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace rootless_rootlessport_dead {

void check(const Facts& facts, Findings& out) {
  each_running(facts, [&](const ContainerFacts& c) {
    const bool kind = c.container->kind == model::NetworkKind::bridge ||
                      c.container->kind == model::NetworkKind::slirp4netns;
    if (!c.container->rootless || !kind || shares(facts, c) || !facts.host.listeners_known) return;
    if (c.container->kind == model::NetworkKind::slirp4netns &&
        c.container->mode.find("port_handler=slirp4netns") != std::string::npos)
      return;
    for (const Published& port : published(*c.container)) {
      if (host_listener(facts, port) != nullptr) continue;
      Finding f = finding(kRootlessportDead.id, Severity::error, c.subject(),
                          "the program that forwards its published ports is gone: connections are refused");
      f.evidence = {"nobody listens on the host's " + std::string(port.protocol()) + " port " +
                    std::to_string(port.host_port) +
                    ", which podman lists as published; rootlessport should"};
      f.fix = {restart(facts, c) + "   # network reload does not bring it back"};
      out.push_back(std::move(f));
      return;
    }
  });
}

}  // namespace rootless_rootlessport_dead

const Check kRootlessportDead{"rootless.rootlessport-dead", "rootlessport is dead",
                              "Connections to the published port are refused, though `podman ps` lists it. "
                              "Rootless bridge and slirp4netns "
                              "containers are reached through rootlessport, a process of the user; killed, "
                              "it is not started again. Proof: no "
                              "listener on the host port.",
                              rootless_rootlessport_dead::check};

}  // namespace podshark::diagnose
