// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace rootless_uplink_dead {

bool has_uplink(const Netns& net) {
  for (const model::Link& l : net.links) {
    if (l.kind == "tun") return true;
  }
  return false;
}

void check(const Facts& facts, Findings& out) {
  if (!facts.rootless.visible || has_uplink(facts.rootless)) return;
  each_bridged(facts, [&](const ContainerFacts& c) {
    if (c.place != Place::rootless || shares(facts, c) || only_internal(facts, c)) return;
    Finding f =
        finding(kUplinkDead.id, Severity::error, c.subject(),
                "the uplink of the rootless networks is gone: no outbound connections for any rootless "
                "container on a bridge");
    f.evidence = {"the rootless network namespace has no tap device" +
                  (facts.uplink.pid != 0 ? "; its " + facts.uplink.program + " (pid " +
                                               std::to_string(facts.uplink.pid) + ") is gone"
                                         : std::string())};
    f.fix = {facts.uplink.program == "slirp4netns"
                 ? "stop every rootless container that is on a bridge network, then start them again"
                 : "start any rootless container on a bridge network: podman then starts the uplink again"};
    out.push_back(std::move(f));
  });
}

}  // namespace rootless_uplink_dead

const Check kUplinkDead{"rootless.uplink-dead", "the uplink of the rootless networks is dead",
                        "Rootless containers on bridges reach each other, and their published ports answer, "
                        "but outbound connections fail "
                        "with ENETUNREACH. pasta (podman 5) or slirp4netns (podman 4) of the rootless "
                        "network namespace was killed. Proof: "
                        "no tap device and no default route there. `podman unshare --rootless-netns` repairs "
                        "it in podman 5, so it is no "
                        "way to look.",
                        rootless_uplink_dead::check};

}  // namespace podshark::diagnose
