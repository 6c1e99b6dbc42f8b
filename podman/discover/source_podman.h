// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <set>
#include <string>

#include "podman/api/transport.h"
#include "podman/model/inventory.h"

namespace podshark::discover {

struct PodmanQuery {
  uid_t owner = 0;  ///< whose podman answers
  bool all = false;
  std::string proc = "/proc";
  bool here = true;  ///< false: of another machine, whose processes can not be looked at
};

struct PodmanAnswer {
  bool answered = false;        ///< `ps` was understood, so `known` is complete
  bool complete = false;        ///< and so was every other question
  model::Inventory inventory;   ///< containers, pods, networks, problems
  std::set<std::string> known;  ///< ids of all its containers, the left-out stopped ones too
};

/// ps, inspect, and when needed network inspect and pod ps, merged and checked against /proc. A later
/// question that fails is a problem and leaves the rest. `seen` is what conmon shows; it stands in for a
/// failed inspect.
[[nodiscard]] PodmanAnswer ask_podman(api::Transport& transport, const PodmanQuery& query,
                                      const std::vector<model::Container>& seen, api::Deadline deadline);

}  // namespace podshark::discover
