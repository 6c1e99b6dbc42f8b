// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace port_privileged_rootless {

void check(const Facts& facts, Findings& out) {
  const std::int64_t first = facts.host.sysctl("net.ipv4.ip_unprivileged_port_start").value_or(1024);
  each_not_started(facts, [&](const ContainerFacts& c) {
    if (!c.container->rootless || c.container->owner == 0) return;
    const std::string error = start_error(c, {"privileged port", "Permission denied"});
    if (error.empty() && c.container->state != "created") return;
    for (const Published& port : published(*c.container)) {
      if (port.host_port >= first) continue;
      Finding f = finding(kPortPrivilegedRootless.id, Severity::error, c.subject(),
                          "it did not start: an ordinary user may not open the host port it publishes");
      f.certainty = error.empty() ? 90 : 100;
      f.evidence = {"host port " + std::to_string(port.host_port) +
                    " is below net.ipv4.ip_unprivileged_port_start = " + std::to_string(first)};
      if (!error.empty()) f.evidence.push_back("podman: " + error);
      f.fix = {"publish a port from " + std::to_string(first) + " on, for example 8080",
               "or, for everybody on this host: sudo sysctl -w net.ipv4.ip_unprivileged_port_start=" +
                   std::to_string(port.host_port)};
      out.push_back(std::move(f));
      return;
    }
  });
}

}  // namespace port_privileged_rootless

const Check kPortPrivilegedRootless{"port.privileged-rootless",
                                    "a rootless container publishes a privileged port",
                                    "The start fails: 'rootlessport cannot expose privileged port', or "
                                    "pasta's 'Permission denied'. Ports below "
                                    "net.ipv4.ip_unprivileged_port_start (1024) are for root.",
                                    port_privileged_rootless::check};

}  // namespace podshark::diagnose
