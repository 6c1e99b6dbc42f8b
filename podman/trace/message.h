// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel says of a traced packet: nft's trace messages (NFT_MSG_TRACE) and the TRACE lines of legacy
// iptables, which come through the NFLOG group 0. The messages come out of a container's namespace, so every
// length in them is checked. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "podman/firewall/ruleset.h"
#include "podman/kernel/netlink.h"
#include "podman/trace/headers.h"

namespace podshark::trace {

enum class Verdict { none, accept, drop, stolen, queue, go_on, jump, go_to, ret };

struct Event {
  enum class Type { rule, ret, policy };
  Type type = Type::rule;
  bool legacy = false;
  firewall::Family family = firewall::Family::any;  ///< of the table
  std::string table;
  std::string chain;
  std::uint64_t handle = 0;                    ///< nft's of the rule, 0 none
  std::uint32_t number = 0;                    ///< legacy: from 1, as `iptables --line-numbers` counts
  firewall::Hook hook = firewall::Hook::none;  ///< legacy only: nft does not tell
  Verdict verdict = Verdict::none;             ///< none of legacy
  std::string target;                          ///< of jump and go_to
  std::uint32_t id = 0;                        ///< nft's number of the packet, soon used again
  std::uint32_t iif = 0;                       ///< index of the link it came in by, 0 none or not told
  std::uint32_t oif = 0;
  std::optional<Headers> headers;  ///< nft tells them with the first event of each base chain
};

/// Names are cut to firewall::kMaxName bytes and not cleaned. Nothing for any other message.
[[nodiscard]] std::optional<Event> parse_message(std::string_view message);

using kernel::each_message;

/// The name of the table that an NFT_MSG_NEWTABLE tells of; empty for any other message.
[[nodiscard]] std::string new_table(std::string_view message);

}  // namespace podshark::trace
