// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "podman/diagnose/certainty.h"
#include "podman/diagnose/checks/checks.h"

namespace podshark::diagnose {

namespace mtu_black_hole {

constexpr std::size_t kMaxTold = 3;

std::uint32_t largest_mtu(const ContainerFacts& c) {
  std::uint32_t mtu = 0;
  for (const model::Link& l : c.net.links) mtu = std::max(mtu, l.loopback() ? 0 : l.mtu);
  return mtu;
}

// Bytes that wait behind full segments which nobody acknowledges, one connection for each peer. One that has
// learnt the path's size has another trouble.
std::vector<const model::TcpState*> stalled(const ContainerFacts& c) {
  const std::uint32_t mtu = largest_mtu(c);
  std::vector<const model::TcpState*> out;
  for (const model::TcpState& t : *c.net.tcp) {
    const bool learnt = t.path_mtu != 0 && t.path_mtu < mtu;
    if (t.backoff == 0 || t.unacked == 0 || (t.not_sent == 0 && t.lost == 0) || t.remote.loopback() || learnt)
      continue;
    const bool known = std::any_of(out.begin(), out.end(),
                                   [&](const model::TcpState* other) { return other->remote == t.remote; });
    if (!known) out.push_back(&t);
  }
  return out;
}

std::string text(const model::TcpState& t) {
  return "TCP to " + t.remote.text() + ":" + std::to_string(t.remote_port) + ": path MTU " +
         std::to_string(t.path_mtu) + ", " + std::to_string(t.backoff) + " time-outs in a row, " +
         std::to_string(t.unacked) + " segments unacknowledged, " + std::to_string(t.not_sent) +
         " bytes waiting";
}

void check(const Facts& facts, Findings& out) {
  each_bridged(facts, [&](const ContainerFacts& c) {
    const std::vector<const model::TcpState*> peers =
        c.net.tcp ? stalled(c) : std::vector<const model::TcpState*>();
    if (peers.empty()) return;
    const Attempt too_big = attempt(facts, c, Way::too_big, {});
    // A single peer that went away looks the same.
    const bool proven = surely_blocked(too_big);
    if (!proven && peers.size() < 2) return;
    Finding f = finding(kMtuBlackHole.id, proven ? Severity::error : Severity::warning, c.subject(),
                        proven ? "large packets do not arrive and nobody tells it to send smaller ones: "
                                 "connections start and then stall"
                               : "connections to several peers have stalled: perhaps large packets do not "
                                 "arrive and nobody tells it to send smaller ones");
    f.certainty = proven ? 95 : 50;
    for (std::size_t i = 0; i < std::min(peers.size(), kMaxTold); ++i) f.evidence.push_back(text(*peers[i]));
    if (too_big.blocked()) {
      f.evidence.push_back(blocker_text(too_big));
      weigh(too_big, f);
      const std::string command = unblock(facts, too_big);
      if (!command.empty()) f.fix.push_back(command + "   # then path MTU discovery works again");
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
