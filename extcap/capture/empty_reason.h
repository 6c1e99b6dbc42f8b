// SPDX-License-Identifier: GPL-2.0-or-later
// Why a capture has no packets, as far as it can be known. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "podman/model/inventory.h"

namespace podshark::extcap {

struct LinkTraffic {
  std::string name;
  bool captured = false;  ///< a ring is open on it
  bool loopback = false;
  bool up = true;
  std::uint64_t packets = 0;  ///< both directions, since the capture began, by the link's own counters
};

struct EmptyFacts {
  std::string target;      ///< "container web"
  std::string filter;      ///< the user's capture filter
  bool any_source = true;  ///< something is being captured now
  std::string preparing;   ///< "through podman exec (tcpdump)" while that is still being started
  std::vector<LinkTraffic> links;
  model::NetworkKind kind = model::NetworkKind::unknown;
  std::string
      other_owner;  ///< "root" or another user who has a container of the same name; empty: nobody seen
};

/// One sentence: the most likely reason and what to do.
[[nodiscard]] std::string empty_reason(const EmptyFacts& facts);

}  // namespace podshark::extcap
