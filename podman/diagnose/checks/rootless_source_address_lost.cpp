// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace rootless_source_address_lost {

void check(const Facts& facts, Findings& out) {
  each_running(facts, [&](const ContainerFacts& c) {
    if (!c.container->rootless || shares(facts, c)) return;
    for (const Published& port : published(*c.container)) {
      const model::Listener* l = host_listener(facts, port);
      if (port.udp || l == nullptr || !l->program.starts_with("rootlessport")) continue;
      Finding f = finding(kSourceAddressLost.id, Severity::info, c.subject(),
                          "its program sees its own address as that of every client of a published port");
      f.evidence = {port.text() + " is forwarded by rootlessport, which connects anew from inside"};
      f.fix = {
          "pasta keeps client addresses (--network pasta), slirp4netns does with port_handler=slirp4netns"};
      out.push_back(std::move(f));
      return;
    }
  });
}

}  // namespace rootless_source_address_lost

const Check kSourceAddressLost{
    "rootless.source-address-lost", "rootlessport hides client addresses",
    "By design: a program behind rootlessport sees its own address (or 127.0.0.1) as the client; the traffic "
    "runs over "
    "lo inside the container. Proof: the listener on the host port is rootlessport.",
    rootless_source_address_lost::check};

}  // namespace podshark::diagnose
