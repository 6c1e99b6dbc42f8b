// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace fw_firewalld_zone_lost {

void check(const Facts& facts, Findings& out) {
  if (!facts.firewalld.running || !facts.firewalld.trusted_sources) return;
  each_bridged(facts, [&](const ContainerFacts& c) {
    if (c.place != Place::host || shares(facts, c)) return;
    for (const Leg& leg : legs(facts, c)) {
      if (leg.network == nullptr || leg.internal()) continue;
      for (const std::string& subnet : leg.network->subnets) {
        const auto& known = *facts.firewalld.trusted_sources;
        if (std::find(known.begin(), known.end(), subnet) != known.end()) continue;
        Finding f = finding(
            kFwFirewalldZoneLost.id, Severity::error, c.subject(),
            "firewalld has forgotten its network: outbound connections and name queries are rejected");
        f.evidence = {subnet +
                      " is not among the sources of firewalld's zone 'trusted'; netavark puts it there when "
                      "the network is set up, "
                      "and a later start or reload of firewalld drops it"};
        f.fix = {reload(facts, c), "lasting: systemctl enable --now netavark-firewalld-reload.service"};
        out.push_back(std::move(f));
        return;
      }
    }
  });
}

}  // namespace fw_firewalld_zone_lost

const Check kFwFirewalldZoneLost{"fw.firewalld-zone-lost", "firewalld forgot podman's subnets",
                                 "Published ports work; outbound connections and DNS fail at once with "
                                 "EHOSTUNREACH. firewalld was started or "
                                 "reloaded after the network was set up. Proof: `firewall-cmd --zone=trusted "
                                 "--list-sources` lacks the subnet.",
                                 fw_firewalld_zone_lost::check};

}  // namespace podshark::diagnose
