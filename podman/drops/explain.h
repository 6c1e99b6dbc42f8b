// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel's words for a dropped packet mean. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace podshark::drops {

struct Explanation {
  std::string_view why;   ///< one sentence, no full stop; empty when nobody knows
  std::string_view next;  ///< what to do or to look at; may be empty
};
/// `reason` as in the kernel's enum ("NETFILTER_DROP"), `function` that gave the packet up ("nft_do_chain").
[[nodiscard]] Explanation explain(std::string_view reason, std::string_view function);

/// Where in netfilter, from the names of the functions above the one that dropped it, innermost first:
/// "FORWARD", "INPUT", "bridge", "netdev ingress", …; empty when they do not say.
[[nodiscard]] std::string_view hook(const std::vector<std::string>& callers);

/// What is_noise() has to know of a packet itself.
struct Nature {
  bool reset = false;      ///< a TCP segment with RST
  bool empty = false;      ///< a TCP segment that only acknowledges: no data, no SYN
  bool multicast = false;  ///< its destination is a multicast address
};
/// Looks like a drop to the kernel and is none to anybody: packets freed after they did their work, copies of
/// other sniffers, answers that end a probe, groups that nobody here has joined. docs/DROPS.md has the list.
[[nodiscard]] bool is_noise(std::string_view reason, std::string_view function, Nature nature);

}  // namespace podshark::drops
