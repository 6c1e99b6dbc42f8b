// SPDX-License-Identifier: GPL-2.0-or-later
// From what the kernel told of traced packets to the way of each packet, rule by rule. Pure.
#pragma once

#include <string>
#include <vector>

#include "podman/firewall/evaluate.h"
#include "podman/firewall/ruleset.h"
#include "podman/trace/message.h"

namespace podshark::trace {

/// A rule that matched, or the end of a base chain.
struct Step {
  Event::Type type = Event::Type::rule;
  firewall::Hook hook = firewall::Hook::none;
  std::int64_t priority = 0;  ///< of the base chain
  std::string where;          ///< "table inet netavark chain FORWARD", clean
  std::string text;           ///< the rule as its maker writes it, "policy drop"; clean
  std::string what;           ///< "jump X", "accept", "drop", "continue"; clean
  bool legacy = false;
  std::uint32_t number = 0;  ///< legacy: of the rule
  /// Where the packet went to, and came from, from here on; empty when that did not change.
  std::string now;
};

/// What became of a packet, as far as this namespace shows it.
enum class End {
  lost,       ///< no rule dropped it, and yet it was not seen leaving: routing, reverse path filter…
  dropped,    ///< by a rule or a policy
  taken,      ///< a program took it over (queue)
  delivered,  ///< to this namespace's own sockets
  left,       ///< by a link
};

struct Journey {
  std::uint32_t id = 0;
  std::vector<Headers> seen;  ///< as the base chains saw it, each look once; never empty
  firewall::Hook begin = firewall::Hook::none;
  std::uint32_t iif = 0;  ///< link indexes, 0 none
  std::uint32_t oif = 0;
  std::vector<Step> steps;  ///< at most kMaxSteps
  End end = End::lost;
  std::string verdict;  ///< dropped, taken: "drop", "reject", "queue"
  firewall::Hook ended_at = firewall::Hook::none;
  std::string decided_by;  ///< dropped, taken: firewall::describe() of who did it
};

inline constexpr std::size_t kMaxJourneys = 2000;
inline constexpr std::size_t kMaxSteps = 300;

/// The rules that events refer to: as read before the trace and, where something changed meanwhile, after.
struct Rulebook {
  const firewall::Ruleset& before;
  const firewall::Ruleset& after;
  std::string own;  ///< our table
};

struct Journeys {
  std::vector<Journey> all;    ///< in the order in which they began
  bool unknown_rules = false;  ///< a rule was in neither ruleset: read them again
  bool left_out = false;       ///< more than kMaxJourneys
};

/// Packets are told apart by nft's number, their headers and the order of hooks, since the number is soon
/// used again. Legacy events, which have no number, are put where their headers and priority belong.
[[nodiscard]] Journeys journeys(const std::vector<Event>& events, const Rulebook& rules);

[[nodiscard]] const char* to_string(End end);
[[nodiscard]] const char* to_string(Verdict verdict);

}  // namespace podshark::trace
