// SPDX-License-Identifier: GPL-2.0-or-later
// What the rules of one hook do to one packet, as far as rules and packet are known.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "podman/firewall/packet.h"
#include "podman/firewall/ruleset.h"

namespace podshark::firewall {

enum class Outcome { accept, drop, reject };

/// A rule, or with `rule` null the policy of a base chain. Points into the ruleset that was judged.
struct Place {
  const Chain* chain = nullptr;
  const Rule* rule = nullptr;
};

/// A rule that matched, or a policy that was met, and what it did: "jump NETAVARK_FORWARD", "dnat
/// to 10.88.0.2:80", "policy drop".
struct Step {
  Place place;
  std::string what;
};

struct Judgement {
  Outcome outcome = Outcome::accept;
  /// Drop and reject: who decided. Accept: what ended the last base chain; chain null when the hook has none.
  Place by;
  Packet packet;           ///< as it leaves the hook
  Place nat;               ///< the rule that translated it, or null
  std::vector<Step> path;  ///< in order, for people; at most kMaxSteps
  /// Rules that may match but need not (an unknown match, a part of the packet that is not known), and would
  /// have done something. The outcome is what happens if none of them does; when empty, the outcome is
  /// certain.
  std::vector<Place> uncertain;
  bool complete = true;  ///< false: given up after kMaxWork rules, or a jump deeper than the kernel allows

  [[nodiscard]] bool certain() const { return complete && uncertain.empty(); }
};

inline constexpr std::size_t kMaxSteps = 200;
inline constexpr std::size_t kMaxUncertain = 200;

/// All base chains of `hook` for the packet's family, in the kernel's order. Accept ends one base chain, drop
/// and reject end everything. NAT chains see only new connections, and the first of their verdicts that
/// translates is the last; the translations of established connections are conntrack's business and so the
/// caller's. At ingress and egress the tables netdev and inet are walked; those of family bridge and arp
/// never. The judgement points into `rules`.
[[nodiscard]] Judgement judge(const Ruleset& rules, Hook hook, const Packet& packet);
Judgement judge(Ruleset&&, Hook, const Packet&) = delete;

/// "table inet t chain f (hook forward, priority 10): tcp dport 80 counter drop", "… policy drop"; one clean
/// line.
[[nodiscard]] std::string describe(const Place& place);
/// The counters of the rule, or of the policy, if the tool told them.
[[nodiscard]] std::optional<Counters> counters(const Place& place);
[[nodiscard]] const char* to_string(Outcome outcome);

}  // namespace podshark::firewall
