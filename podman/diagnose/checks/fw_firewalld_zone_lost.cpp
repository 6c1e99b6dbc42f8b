// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/ways.h"

namespace podshark::diagnose {

namespace fw_firewalld_zone_lost {

bool asks_us_for_names(const Facts& facts, const ContainerFacts& c) {
  const std::vector<Leg> all = legs(facts, c);
  return resolver_of(facts, c) && std::any_of(all.begin(), all.end(), [](const Leg& leg) {
           return leg.network != nullptr && leg.network->dns;
         });
}

// The rule that refuses; empty where rules can not be seen and the zone alone has to do; nothing when
// something else lets it through: the bridge in zone trusted, a policy, another default zone.
std::optional<std::string> refusal(const Facts& facts, const ContainerFacts& c) {
  if (!facts.host.firewall || !address_of(facts, c)) return std::string();
  const Attempt own = attempt(facts, c, Way::outward, {});
  if (own.blocked() && by_firewalld(facts, own)) return blocker_text(own);
  if (!asks_us_for_names(facts, c)) return std::nullopt;
  const Attempt query = attempt(facts, c, Way::name_query, {});
  if (query.blocked() && by_firewalld(facts, query)) return blocker_text(query);
  return std::nullopt;
}

void check(const Facts& facts, Findings& out) {
  each_bridged(facts, [&](const ContainerFacts& c) {
    if (shares(facts, c)) return;
    const std::string subnet = forgotten_subnet(facts, c);
    if (subnet.empty()) return;
    const std::optional<std::string> rule = refusal(facts, c);
    if (!rule) return;
    Finding f =
        finding(kFwFirewalldZoneLost.id, Severity::error, c.subject(),
                "firewalld has forgotten its network: outbound connections and name queries are rejected");
    f.evidence = {subnet +
                  " is not among the sources of firewalld's zone 'trusted'; netavark puts it there when "
                  "the network is set up, and a later start or reload of firewalld drops it"};
    if (!rule->empty()) f.evidence.push_back(*rule);
    f.fix = {podman(facts, c) + " network reload -a",
             "lasting: " + sudo(facts) + "systemctl enable --now netavark-firewalld-reload.service"};
    out.push_back(std::move(f));
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
