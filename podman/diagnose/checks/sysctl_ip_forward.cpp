// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace sysctl_ip_forward {

void add(const Facts& facts, const ContainerFacts& c, const std::string& key, Findings& out) {
  Finding f =
      finding(kSysctlIpForward.id, Severity::error, c.subject(),
              "the kernel forwards nothing between its network and others: clients outside and its own "
              "outbound connections time out");
  f.evidence = {key + " = 0" + (c.place == Place::rootless ? " in the rootless network namespace" : "")};
  f.fix = set_sysctl(facts, c.place, key, 1);
  out.push_back(std::move(f));
}

void check(const Facts& facts, Findings& out) {
  each_bridged(facts, [&](const ContainerFacts& c) {
    const Netns& there = facts.where(c.place);
    if (!there.visible) return;
    bool routed = false;
    for (const Leg& leg : legs(facts, c)) routed = routed || leg.routed();
    if (!routed) return;
    if (there.state.all.forwarding == 0) {
      add(facts, c, "net.ipv4.ip_forward", out);
      return;
    }
    for (const Leg& leg : legs(facts, c)) {
      if (leg.bridge == nullptr || !leg.routed()) continue;
      const model::LinkSettings* settings = there.settings(leg.bridge->ifindex);
      if (settings != nullptr && settings->forwarding == 0)
        add(facts, c, "net.ipv4.conf." + leg.bridge->name + ".forwarding", out);
    }
  });
}

}  // namespace sysctl_ip_forward

const Check kSysctlIpForward{
    "sysctl.ip-forward", "forwarding is off",
    "Clients outside and outbound connections time out; the host reaches the container, and its own address "
    "with the "
    "published port works. A sysctl service or hardening reset net.ipv4.ip_forward or the bridge's own "
    "setting after "
    "netavark had set it. `podman network reload` restores it only where it makes the bridge anew.",
    sysctl_ip_forward::check};

}  // namespace podshark::diagnose
