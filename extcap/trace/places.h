// SPDX-License-Identifier: GPL-2.0-or-later
// Which network namespaces a probe's packets can pass, and what to look for in each. Pure but for opening the
// rootless one.
#pragma once

#include <string>
#include <vector>

#include "extcap/probe/aim.h"
#include "extcap/probe/source.h"
#include "extcap/worker_client.h"
#include "podman/trace/own_table.h"

namespace podshark::extcap::tracing {

struct TracePlace {
  std::string name;  ///< "the host", "the rootless networks", "container 'web'"; clean
  NetnsPlace netns;
  std::vector<trace::Selector> selectors;
};

/// A namespace that is not traced, and why.
struct Untraced {
  std::string name;
  Error why;
};

/// What ways there are, as far as podman's networks tell. Pure.
struct Ways {
  bool host = false;
  bool rootless = false;  ///< the namespace of the rootless networks' bridges
};
[[nodiscard]] Ways ways(const probing::Source& source, const probing::Aim& aim);

struct Places {
  std::vector<TracePlace> places;  ///< in the order in which a packet passes them
  std::vector<Untraced> untraced;
};
[[nodiscard]] Places find_places(const probing::Source& source, const probing::Aim& aim, uid_t caller);
/// The same for packets of anybody, clients outside included: `source` is the host.
[[nodiscard]] Places find_others_places(const probing::Source& source, const probing::Aim& aim, uid_t caller);

/// The host's ports that lead to what is aimed at.
[[nodiscard]] std::vector<std::uint16_t> published_ports(const probing::Aim& aim);

}  // namespace podshark::extcap::tracing
