// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace l2_neighbour {

void check_leg(const Facts& facts, const ContainerFacts& c, const Leg& leg, Findings& out) {
  if (leg.bridge == nullptr || leg.attachment->mac.empty()) return;
  for (const std::string& text : leg.attachment->addresses) {
    const std::optional<IpAddress> address = IpAddress::parse(text);
    for (const model::Neighbour& n : facts.where(c.place).state.neighbours) {
      if (!address || n.ifindex != leg.bridge->ifindex || n.address != *address || n.mac.empty() ||
          n.failed() || n.mac == leg.attachment->mac)
        continue;
      Finding f = finding(kL2Neighbour.id, Severity::error, c.subject(),
                          n.permanent() ? "the host has a fixed, wrong hardware address for it"
                                        : "another station on the bridge answers for its address");
      f.evidence = {"the host sends " + address->text() + " on " + leg.bridge->name + " to " + n.mac +
                    (n.permanent() ? " (permanent entry)" : "") + "; the container has " +
                    leg.attachment->mac};
      if (n.stale()) {
        f.severity = Severity::warning;
        f.certainty = 50;
        f.evidence.push_back(
            "the entry is old (STALE): it may be from before a restart, and is asked for anew when it is "
            "used");
      }
      f.fix = {sudo(facts) + "ip neigh del " + address->text() + " dev " + leg.bridge->name};
      if (!n.permanent())
        f.fix.push_back("bridge fdb show br " + leg.bridge->name + " | grep " + n.mac +
                        "   # the port of the other station");
      out.push_back(std::move(f));
    }
  }
}

void check(const Facts& facts, Findings& out) {
  each_bridged(facts, [&](const ContainerFacts& c) {
    for (const Leg& leg : legs(facts, c)) check_leg(facts, c, leg, out);
  });
}

}  // namespace l2_neighbour

const Check kL2Neighbour{
    "l2.duplicate-or-static-neigh", "the host sends frames for the container to another hardware address",
    "Time-outs (a permanent neighbour entry) or refused and intermittent connections (two stations with one "
    "address). "
    "Proof: `ip neigh show ADDRESS` names another hardware address than `podman inspect` does.",
    l2_neighbour::check};

}  // namespace podshark::diagnose
