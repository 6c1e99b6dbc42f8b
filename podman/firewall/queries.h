// SPDX-License-Identifier: GPL-2.0-or-later
// What a diagnosis asks of a ruleset, beyond the fate of one packet. Results point into the ruleset.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "podman/firewall/evaluate.h"
#include "podman/firewall/ruleset.h"

namespace podshark::firewall {

/// One destination translation and what leads to it. Conditions of the whole way (jumps and rule) are put
/// together.
struct Dnat {
  Family family = Family::any;          ///< ip or ip6, any when nothing says
  std::uint8_t protocol = 0;            ///< IPPROTO_*, 0 any
  std::vector<AddressRange> host;       ///< destination must be one of these; empty: any
  std::vector<AddressRange> source;     ///< source must be one of these; empty: any
  std::vector<NumberRange> ports;       ///< destination ports before translation; empty: any
  bool only_local = false;              ///< destination must be an address of the host
  std::vector<std::string> conditions;  ///< whatever else must hold, as texts
  NatTarget target;                     ///< address none: redirect, or only the port changes
  std::string network;                  ///< netavark's iptables driver only: name of the podman network
  std::string owner;                    ///< … and id of the container
  Place rule;                           ///< the rule with the DNAT

  /// As far as protocol and destination say.
  [[nodiscard]] bool takes(Family of, std::uint8_t proto, const IpAddress& address, std::uint16_t port) const;
  /// It asks nothing of who sends, by which link or the like: podman's are for anybody.
  [[nodiscard]] bool for_anybody() const { return source.empty() && conditions.empty(); }
  /// The port after translation of one that it takes.
  [[nodiscard]] std::uint16_t port_for(std::uint16_t host_port) const;
};

/// All DNATs that base NAT chains of `hook` (prerouting, output) lead to, in the order in which the kernel
/// tries them: of two that take a packet the first wins. At most kMaxDnats.
[[nodiscard]] std::vector<Dnat> dnats(const Ruleset& rules, Hook hook);
std::vector<Dnat> dnats(Ruleset&&, Hook) = delete;
/// Of several that take a packet to this address and port the first, but for those of the user's own that are
/// for chosen clients only; null without.
[[nodiscard]] const Dnat* first_for_anybody(const std::vector<Dnat>& all, std::uint8_t protocol,
                                            const IpAddress& address, std::uint16_t port);

/// Which of netavark's drivers left its chains here; both after a change of the driver.
struct Netavark {
  bool iptables = false;
  bool nftables = false;
  [[nodiscard]] bool any() const { return iptables || nftables; }
};
[[nodiscard]] Netavark has_netavark(const Ruleset& rules);
/// Chains of CNI's plugins, which podman 4 uses instead where it was upgraded from podman 3, and on EL8.
[[nodiscard]] bool has_cni(const Ruleset& rules);

/// A chain that only netavark makes ("NETAVARK…", or anything in table inet netavark).
[[nodiscard]] bool is_netavark(const Chain& chain);

/// A rule that marks packets for masquerade on their way to a published port (jump to
/// NETAVARK-HOSTPORT-SETMARK).
struct PortMark {
  Family family = Family::any;
  AddressRange source;             ///< the network itself, or 127.0.0.1
  std::vector<AddressRange> host;  ///< empty: any
  std::uint8_t protocol = 0;
  std::vector<NumberRange> ports;
  Place rule;
};
[[nodiscard]] std::vector<PortMark> port_marks(const Ruleset& rules);
std::vector<PortMark> port_marks(Ruleset&&) = delete;

}  // namespace podshark::firewall
