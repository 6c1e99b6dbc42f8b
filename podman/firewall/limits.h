// SPDX-License-Identifier: GPL-2.0-or-later
// What we accept from nft and iptables-save, in one place. More bytes than that are refused with one line;
// beyond a count the rest is left out and said so in Ruleset::notes.
#pragma once

#include <cstddef>

namespace podshark::firewall {

inline constexpr std::size_t kMaxRulesBytes = 32U << 20U;  ///< one answer of nft or iptables-save
inline constexpr std::size_t kMaxChains = 20'000;
inline constexpr std::size_t kMaxRules = 200'000;     ///< in one ruleset
inline constexpr std::size_t kMaxElements = 300'000;  ///< of all sets and maps together
inline constexpr std::size_t kMaxMatches = 64;        ///< per rule; likewise statements
inline constexpr std::size_t kMaxFields = 8;          ///< of one concatenation
inline constexpr std::size_t kMaxRuleText = 512;      ///< bytes of Rule::text; longer is cut
inline constexpr std::size_t kMaxName = 256;          ///< bytes of a table, chain, link or set name
inline constexpr std::size_t kMaxDepth = 64;          ///< nesting of nft's JSON
inline constexpr std::size_t kMaxNotes = 100;
inline constexpr std::size_t kMaxJumps = 16;  ///< NFT_JUMP_STACK_SIZE of the kernel
inline constexpr std::size_t kMaxWork =
    2'000'000;  ///< rules (and sixteenths of set rows) looked at for one packet
inline constexpr std::size_t kMaxQueryWork = 2'000'000;  ///< the same for one query
inline constexpr std::size_t kMaxDnats = 20'000;         ///< results of dnats()

/// What the parsers are given; tests give less.
struct Limits {
  std::size_t bytes = kMaxRulesBytes;
  std::size_t chains = kMaxChains;
  std::size_t rules = kMaxRules;
  std::size_t elements = kMaxElements;
};

}  // namespace podshark::firewall
