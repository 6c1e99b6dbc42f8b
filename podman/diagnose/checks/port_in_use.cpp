// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace port_in_use {

const std::vector<std::string> kWords{"address already in use", "Failed to bind port",
                                      "Listen failed for HOST"};

// Who holds one of its host ports now.
const model::Listener* holder(const Facts& facts, const ContainerFacts& c, const Published** which,
                              const std::vector<Published>& ports) {
  for (const Published& port : ports) {
    const std::optional<IpAddress> bound = IpAddress::parse(port.host_ip);
    for (const model::Listener& l : facts.host.listeners) {
      const bool meets = l.any() || !bound || *bound == l.address || bound->text() == "0.0.0.0";
      if (l.port == port.host_port && l.udp == port.udp && meets && c.container->pid == 0) {
        *which = &port;
        return &l;
      }
    }
  }
  return nullptr;
}

void check(const Facts& facts, Findings& out) {
  each_not_started(facts, [&](const ContainerFacts& c) {
    const std::string error = start_error(c, kWords);
    const std::vector<Published> ports = published(*c.container);
    const Published* port = nullptr;
    const model::Listener* other = holder(facts, c, &port, ports);
    const bool dns = start_error(c, {":53"}) == error && !error.empty();  // another check's matter
    if (other == nullptr || dns || (error.empty() && c.container->state != "created" && !c.restart_failed))
      return;
    Finding f = finding(kPortInUse.id, Severity::error, c.subject(),
                        "it did not start: a port it publishes is in use");
    f.certainty = error.empty() ? 80 : 100;
    f.evidence = {std::string(port->protocol()) + " port " + std::to_string(port->host_port) +
                  " is held by " + owner_text(*other) + " on " + other->address.text()};
    f.evidence.push_back(!error.empty()     ? "podman: " + error
                         : c.restart_failed ? "podman does not keep the reason why a restart failed"
                                            : "podman before 5 does not keep the reason why a start failed");
    f.fix = {"stop that program, or publish another port, then " + podman(facts, c) + " start " + c.name()};
    out.push_back(std::move(f));
  });
}

}  // namespace port_in_use

const Check kPortInUse{"port.in-use", "another program holds a published port",
                       "The container stays created; `podman start` says that the address is already in use "
                       "(in the words of conmon, "
                       "rootlessport or pasta). Proof: the listener on the host port and its owner.",
                       port_in_use::check};

}  // namespace podshark::diagnose
