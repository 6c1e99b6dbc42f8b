// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/ways.h"
#include "podman/firewall/queries.h"

namespace podshark::diagnose {

namespace mtu_black_hole {

// Bytes that wait behind full segments which nobody acknowledges.
const model::TcpState* stalled(const ContainerFacts& c) {
  for (const model::TcpState& t : c.net.tcp ? *c.net.tcp : std::vector<model::TcpState>()) {
    if (t.backoff > 0 && t.unacked > 0 && (t.not_sent > 0 || t.lost > 0) && !t.remote.loopback()) return &t;
  }
  return nullptr;
}

void check(const Facts& facts, Findings& out) {
  each_bridged(facts, [&](const ContainerFacts& c) {
    const model::TcpState* t = stalled(c);
    if (t == nullptr) return;
    std::uint32_t mtu = 0;
    for (const model::Link& l : c.net.links) mtu = std::max(mtu, l.loopback() ? 0 : l.mtu);
    if (t->path_mtu != 0 && t->path_mtu < mtu) return;  // it has learnt the path's size: another trouble
    Finding f =
        finding(kMtuBlackHole.id, Severity::error, c.subject(),
                "large packets do not arrive and nobody tells it to send smaller ones: connections start and "
                "then stall");
    f.certainty = 60;
    f.evidence = {"TCP to " + t->remote.text() + ":" + std::to_string(t->remote_port) + ": path MTU " +
                  std::to_string(t->path_mtu) + ", " + std::to_string(t->backoff) + " time-outs in a row, " +
                  std::to_string(t->unacked) + " segments unacknowledged, " + std::to_string(t->not_sent) +
                  " bytes waiting"};
    if (facts.where(c.place).firewall) {
      const Attempt a = attempt(facts, c, Way::too_big, {});
      if (a.blocked()) {
        f.certainty = 95;
        f.evidence.push_back(blocker_text(a));
        const std::string command = unblock(facts, a);
        if (!command.empty()) f.fix.push_back(command + "   # then path MTU discovery works again");
      }
    }
    f.fix.push_back(podman(facts, c) + " network create --opt mtu=1400 NAME, or the path's real MTU");
    out.push_back(std::move(f));
  });
}

}  // namespace mtu_black_hole

const Check kMtuBlackHole{"mtu.black-hole", "path MTU discovery is broken",
                          "The handshake and small answers work, bulk data stalls. Somewhere on the path the "
                          "MTU is smaller than the "
                          "container's (VPN, PPPoE, overlay) and the ICMP messages that say so are filtered. "
                          "Proof: TCP's own state in the "
                          "container (full-size segments retransmitted, path MTU unchanged), and a rule that "
                          "drops ICMP type 3 code 4.",
                          mtu_black_hole::check};

}  // namespace podshark::diagnose
