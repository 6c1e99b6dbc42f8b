// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace app_loopback_only {

void check(const Facts& facts, Findings& out) {
  each_running(facts, [&](const ContainerFacts& c) {
    for (const Published& port : expected_ports(facts, c)) {
      if (listener(c.net, port.container_port, port.udp) != nullptr) continue;
      const model::Listener* local = loopback_listener(c.net, port.container_port, port.udp);
      if (local == nullptr) continue;
      Finding f = finding(
          kAppLoopbackOnly.id, Severity::error, c.subject(),
          "the program listens on the container's loopback address only: nobody outside can reach it");
      f.evidence = {std::string(port.protocol()) + " port " + std::to_string(port.container_port) +
                    ": a listener on " + local->address.text() +
                    ", none on an address that packets from outside have"};
      f.fix = {"make the program bind 0.0.0.0 (or ::) instead of " + local->address.text() +
               ", usually an option called bind, listen or host"};
      out.push_back(std::move(f));
    }
  });
}

}  // namespace app_loopback_only

const Check kAppLoopbackOnly{
    "app.loopback-only", "the program listens on 127.0.0.1 inside the container",
    "Rootful: every connection is refused. Rootless: it is accepted by the port forwarder and closed at "
    "once. Inside "
    "the container it works. The port's listener is bound to 127.0.0.1 or ::1, and packets that come through "
    "a "
    "published port or a bridge have the container's own address as destination. "
    "Proof: /proc/PID/net/tcp of the container lists state 0A on 0100007F:PORT only.",
    app_loopback_only::check};

}  // namespace podshark::diagnose
