// SPDX-License-Identifier: GPL-2.0-or-later
// Plain data: the rules of one network namespace, of nft and of both iptables, in one vocabulary. Every
// string was chosen by a stranger (chain names, comments, rule texts): clean with one_line() before showing
// it, except where said otherwise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "podman/firewall/limits.h"
#include "podman/firewall/match.h"

namespace podshark::firewall {

enum class Hook { none, prerouting, input, forward, output, postrouting, ingress, egress };
enum class ChainType { none, filter, nat, route };
enum class Policy { none, accept, drop };
/// Who answered. iptables_legacy has tables of its own beside those of nft, under the same names.
enum class Maker { nft, iptables, iptables_legacy };

struct Counters {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  bool operator==(const Counters&) const = default;
};

enum class Action {
  nothing,  ///< log, counter, continue and whatever else lets the packet go on unchanged
  unknown,  ///< an extension that we can not judge
  accept,
  drop,
  reject,  ///< `target` is the kind: "icmp port-unreachable", "tcp reset"
  ret,     ///< return
  jump,    ///< `target` is the chain
  go_to,   ///< `target` is the chain
  queue,   ///< a program decides
  notrack,
  set_mark,
  set_ct_mark,
  dnat,
  snat,
  masquerade,
  redirect,  ///< DNAT to the address of the link that the packet came in by
  verdict_map,
};

/// A new destination or source. Of an address or port range the kernel takes one; `base` tells which port:
/// first port of the range + (destination port - base), iptables' "IP:90-92/28171".
struct NatTarget {
  std::optional<AddressRange> address;  ///< none: unchanged (redirect, masquerade: the link's)
  std::optional<NumberRange> ports;
  std::optional<std::uint16_t> base;
};

/// mark = (mark & keep) ^ flip; the bits of `unknown` become something that we can not compute.
struct MarkChange {
  std::uint32_t keep = 0;
  std::uint32_t flip = 0;
  std::uint32_t unknown = 0;
};

/// What a rule does. `after` of the rule's matches come before it: nft runs a rule from left to right.
struct Statement {
  Action action = Action::nothing;
  std::size_t after = 0;
  std::string target;  ///< see Action
  NatTarget nat;       ///< of dnat, snat, masquerade, redirect without a map
  MarkChange mark;     ///< of set_mark and set_ct_mark
  /// A map (verdict_map, or dnat and snat to a map): the result of the first row of `key` that fits is
  /// results[row]. Empty results: no map.
  Match key;
  std::vector<Statement> results;
};

[[nodiscard]] Statement plain(Action action, std::string target = {});

struct Rule {
  std::size_t number = 0;    ///< from 1, within its chain; as `iptables -L --line-numbers` counts
  std::uint64_t handle = 0;  ///< nft's, 0 unknown
  std::vector<Match> matches;
  std::vector<Statement> statements;
  std::optional<Counters> counters;
  std::string comment;
  std::string text;  ///< one clean line: "-A FORWARD …" for iptables, else as nft writes it
};

struct Chain {
  Family family = Family::any;  ///< see match.h: ip, ip6, inet, bridge, arp, netdev
  std::string table;
  std::string name;
  Maker maker = Maker::nft;
  Hook hook = Hook::none;  ///< none: not a base chain, packets come by jumps only
  ChainType type = ChainType::none;
  std::int64_t priority = 0;
  Policy policy = Policy::none;
  std::vector<std::string> devices;  ///< of ingress and egress; nft 1.0.6 does not tell them
  std::optional<Counters> policy_counters;
  std::vector<Rule> rules;
};

struct Ruleset {
  std::vector<Chain> chains;       ///< in the order in which the tools list them
  std::vector<std::string> notes;  ///< what was left out or not understood, one clean line each

  /// Appends to notes, at most kMaxNotes.
  void note(const std::string& what);
};

/// All NAT chains of a hook are called from one place, whatever their own priority, which only orders them
/// among themselves (net/netfilter/nf_nat_proto.c, NF_IP_PRI_NAT_DST and _SRC).
[[nodiscard]] std::int64_t effective_priority(const Chain& chain);

[[nodiscard]] const char* to_string(Family family);
[[nodiscard]] const char* to_string(Hook hook);
[[nodiscard]] const char* to_string(Maker maker);
[[nodiscard]] const char* to_string(Action action);

/// "table inet firewalld chain filter_FORWARD", "iptables-legacy table filter chain FORWARD"; one clean line.
[[nodiscard]] std::string place(const Chain& chain);

}  // namespace podshark::firewall
