// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/ways.h"
#include "podman/firewall/queries.h"

namespace podshark::diagnose {

namespace fw_ct_invalid {

// A link that podman did not make.
const model::Link* foreign_link(const ContainerFacts& c) {
  for (const model::Link& l : c.net.links) {
    bool known = l.loopback();
    for (const model::Attachment& a : c.container->networks)
      known = known || a.mac == l.mac || a.interface == l.name;
    if (!known && !l.addresses.empty()) return &l;
  }
  return nullptr;
}

bool drops_invalid(const firewall::Ruleset& rules) {
  for (const firewall::Chain& chain : rules.chains) {
    if (!firewall::is_netavark(chain)) continue;
    for (const firewall::Rule& rule : chain.rules) {
      if (rule.text.find("invalid") != std::string::npos || rule.text.find("INVALID") != std::string::npos)
        return true;
    }
  }
  return false;
}

void check(const Facts& facts, Findings& out) {
  const auto it = facts.host.counters.find("ct_invalid");
  const std::uint64_t invalid = it == facts.host.counters.end() ? 0 : it->second;
  if (!facts.host.firewall || invalid == 0 || !drops_invalid(*facts.host.firewall)) return;
  each_bridged(facts, [&](const ContainerFacts& c) {
    const model::Link* second = foreign_link(c);
    if (second == nullptr || c.place != Place::host) return;
    // Every container with a VPN's link has all three, mostly without any trouble.
    const bool asked = is_target(facts, c) || is_source(facts, c);
    Finding f = finding(
        kFwCtInvalid.id, asked ? Severity::warning : Severity::info, c.subject(),
        "packets may enter it by one way and their answers leave by another: the host would see half a "
        "connection and drop it as invalid");
    f.certainty = 50;
    f.evidence = {"it has a second link, " + second->name + ", beside those of podman",
                  "connection tracking has called " + std::to_string(invalid) +
                      " packets invalid, and netavark drops such packets"};
    f.fix = {"if connections over " + second->name +
             " time out, make the way symmetric: a policy route inside the container for answers on " +
             second->name + ", or SNAT on that path"};
    out.push_back(std::move(f));
  });
}

}  // namespace fw_ct_invalid

const Check kFwCtInvalid{"fw.ct-invalid", "asymmetric routing meets 'ct state invalid drop'",
                         "Traffic that enters by another path than its answers times out. The host sees only "
                         "the answers, connection "
                         "tracking calls them INVALID, and netavark from 1.8 on drops them. Proof: "
                         "`conntrack -S` invalid rises with every "
                         "attempt.",
                         fw_ct_invalid::check};

}  // namespace podshark::diagnose
