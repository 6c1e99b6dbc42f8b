// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/certainty.h"
#include "podman/diagnose/checks/checks.h"

namespace podshark::diagnose {

namespace fw_dns_input_drop {

bool served(const Facts& facts, const ContainerFacts& c) {
  for (const Leg& leg : legs(facts, c)) {
    const std::optional<IpAddress> gateway = IpAddress::parse(leg.attachment->gateway);
    if (leg.network == nullptr || !leg.network->dns || !gateway) continue;
    for (const model::Listener& l : facts.where(c.place).listeners) {
      if (l.udp && l.port == 53 && l.address == *gateway) return true;
    }
    if (c.place == Place::rootless) return true;  // its sockets are not listed
  }
  return false;
}

// netavark does not tell firewalld of internal networks.
std::vector<std::string> firewalld_fix(const Facts& facts, const ContainerFacts& c, const Attempt& a) {
  for (const Leg& leg : legs(facts, c)) {
    if (!leg.internal() || !leg.network->dns || leg.network->subnets.empty()) continue;
    const std::string command = "firewall-cmd --zone=trusted --add-source=" + leg.network->subnets.front();
    return {sudo(facts) + command + " && " + sudo(facts) + command + " --permanent"};
  }
  return foreign_fix(facts, c, a);
}

void check(const Facts& facts, Findings& out) {
  each_bridged(facts, [&](const ContainerFacts& c) {
    if (!facts.where(c.place).firewall || !served(facts, c) || !resolver_of(facts, c)) return;
    const Attempt a = attempt(facts, c, Way::name_query, {});
    if (!a.blocked() || firewalld_matter(facts, c, a)) return;
    Finding f =
        finding(kFwDnsInputDrop.id, Severity::error, c.subject(),
                "names do not resolve in it: the host's firewall drops its queries to the name server on the "
                "gateway");
    f.evidence = {blocker_text(a)};
    weigh(a, f);
    const std::vector<Leg> all = legs(facts, c);
    const std::string bridge = all.front().network != nullptr ? all.front().network->bridge : "podman0";
    f.fix = {"allow UDP and TCP 53 from " + bridge + "; with ufw: " + sudo(facts) + "ufw allow in on " +
             bridge + " to any port 53"};
    if (by_firewalld(facts, a)) f.fix = firewalld_fix(facts, c, a);
    const std::string command = unblock(facts, a);
    if (!command.empty()) f.fix.push_back("or, if the rule is not needed: " + command);
    out.push_back(std::move(f));
  });
}

}  // namespace fw_dns_input_drop

const Check kFwDnsInputDrop{"fw.dns-input-drop", "the host's firewall drops name queries",
                            "Names time out in containers on networks with a name service, addresses work. "
                            "Queries to the gateway are INPUT on "
                            "the host; ufw, firewalld or another input chain drops them, and netavark's own "
                            "accept is in another table.",
                            fw_dns_input_drop::check};

}  // namespace podshark::diagnose
