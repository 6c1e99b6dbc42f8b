// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace ctr_no_default_route {

bool has_default(const Netns& net) {
  for (const model::Route& r : net.state.routes) {
    if (!r.v6 && r.prefix == 0 && r.type == 1) return true;  // RTN_UNICAST
  }
  return false;
}

void check(const Facts& facts, Findings& out) {
  each_bridged(facts, [&](const ContainerFacts& c) {
    bool routed = false, linked = false;
    for (const Leg& leg : legs(facts, c)) {
      routed = routed || (!leg.internal() && !leg.attachment->gateway.empty());
      linked = linked || c.net.link(leg.attachment->interface) != nullptr;
    }
    if (!routed || !linked || !c.net.visible || has_default(c.net)) return;
    Finding f =
        finding(kCtrNoDefaultRoute.id, Severity::error, c.subject(),
                "it has no default route: it reaches nothing beyond its own subnets, and answers to clients "
                "outside are lost");
    f.evidence = {"no IPv4 route to 0.0.0.0/0 in its network namespace, though its network has a gateway"};
    f.fix = {reload(facts, c),
             "lasting: find what removes it, a DHCP client in the image or the program itself"};
    out.push_back(std::move(f));
  });
}

}  // namespace ctr_no_default_route

const Check kCtrNoDefaultRoute{"ctr.no-default-route", "the container has no default route",
                               "Outbound connections fail at once with ENETUNREACH; clients outside time "
                               "out, since answers to them have no way "
                               "back. The host itself still reaches the container, whose gateway it is. "
                               "Proof: /proc/PID/net/route has no line "
                               "with destination 00000000.",
                               ctr_no_default_route::check};

}  // namespace podshark::diagnose
