// SPDX-License-Identifier: GPL-2.0-or-later
// Ways that packets to and from a container take through the rules of the namespace its bridge is in, each
// tried with an imagined packet (podman/firewall). What a rule asks that an imagined packet can not have, is
// not decided here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "podman/diagnose/common.h"
#include "podman/firewall/evaluate.h"

namespace podshark::diagnose {

enum class Way : std::uint8_t {
  arriving,       ///< a client outside to a published port, before DNAT (prerouting)
  inward,         ///< the same after DNAT (forward)
  inward_reply,   ///< answers to the container's own connections (forward)
  outward,        ///< the container to a server outside (forward)
  outward_reply,  ///< its answers to clients outside (forward)
  from_host,      ///< the host to the container (output)
  sibling,        ///< another container on the same bridge: only where bridged frames pass IP hooks (forward)
  across,         ///< the question's source container, on another bridge or by a published port (forward)
  name_query,     ///< the container to aardvark-dns on its gateway (input)
  too_big,        ///< ICMP "fragmentation needed" from a router outside to the container (forward)
};

struct Attempt {
  Way way = Way::inward;
  std::string text;  ///< "tcp from a client outside to port 80 of the container"
  Published port;    ///< for arriving, inward, from_host, sibling, across
  firewall::Judgement judgement;
  [[nodiscard]] bool blocked() const { return judgement.outcome != firewall::Outcome::accept; }
};

/// Those ways that matter to the question, for a bridged container. Empty where rules can not be seen.
[[nodiscard]] std::vector<Attempt> attempts(const Facts& facts, const ContainerFacts& container);

/// One of them by itself. `port` for those that have one.
[[nodiscard]] Attempt attempt(const Facts& facts, const ContainerFacts& container, Way way,
                              const Published& port);

/// Who blocks it, as the finding's evidence: rule or policy with table and chain, and how often it has.
[[nodiscard]] std::string blocker_text(const Attempt& attempt);
/// The command that takes the blocking rule away, whatever other rules went before; empty for a policy, and
/// for what only firewalld can change.
[[nodiscard]] std::string unblock(const Facts& facts, const Attempt& attempt);

/// What kind of thing blocks.
enum class Blocker : std::uint8_t { policy, general_rule, specific_rule, isolation, netavark };
[[nodiscard]] Blocker blocker(const Attempt& attempt);

/// The policy of iptables' FORWARD chain, where netavark's own rules are in that chain too.
[[nodiscard]] bool by_iptables_driver(const Facts& facts, const Attempt& attempt);
/// A rule of firewalld's own table.
[[nodiscard]] bool by_firewalld(const Facts& facts, const Attempt& attempt);
/// A subnet of the container that firewalld's zone 'trusted' does not know; empty without, and when the zone
/// can not be seen.
[[nodiscard]] std::string forgotten_subnet(const Facts& facts, const ContainerFacts& container);
/// What the checks of firewalld's own faults tell, or what its rules leave open: no matter of others.
[[nodiscard]] bool firewalld_matter(const Facts& facts, const ContainerFacts& container,
                                    const Attempt& attempt);
/// How to let both directions through a firewall that is not podman's.
[[nodiscard]] std::vector<std::string> foreign_fix(const Facts& facts, const ContainerFacts& container,
                                                   const Attempt& attempt);

/// The IPv4 subnet of the network that attempts() are about; "SUBNET" where podman does not tell.
[[nodiscard]] std::string judged_subnet(const Facts& facts, const ContainerFacts& container);

/// The setting by which frames that a bridge passes on meet the rules of iptables and nft, and whether it is
/// 1 (Documentation/networking/ip-sysctl.rst of the kernel).
inline constexpr const char* kBridgedPassRules = "net.bridge.bridge-nf-call-iptables";
[[nodiscard]] bool bridged_pass_rules(const Facts& facts, Place place);

/// Name of the link to the outside: that of the default route, else any that is neither bridge nor veth;
/// empty without.
[[nodiscard]] std::string uplink(const Netns& net);
/// An address of the host that published ports answer on: the uplink's.
[[nodiscard]] std::optional<IpAddress> host_address(const Facts& facts);

}  // namespace podshark::diagnose
