// SPDX-License-Identifier: GPL-2.0-or-later
// Who is called what, and whose address means something to whom.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "extcap/probe/source.h"
#include "podman/core/result.h"
#include "podman/model/inventory.h"

namespace podshark::extcap::probing {

/// --from: "host", a container or "ssh://…". ErrorKind::not_found, not_running, usage.
[[nodiscard]] Result<Source> find_source(const std::string& name, const model::Inventory& inventory,
                                         uid_t caller);

/// A running container by name, "pod/NAME" included, with the one that owns its namespace. Nothing when no
/// container is called so.
struct Named {
  model::Container owner;
  std::string name;  ///< clean
};
[[nodiscard]] Result<std::optional<Named>> find_named(const std::string& name,
                                                      const model::Inventory& inventory, uid_t caller);

/// Addresses of the container that `source` may use, the best one first; "there is none" is empty.
[[nodiscard]] std::vector<IpAddress> addresses_for(const model::Container& container, const Source& source);
/// Why its own address means nothing at the source; empty when it may be tried.
[[nodiscard]] std::string not_addressable(const model::Container& container, const Source& source);

/// Whether the mapping covers this port, on the given side.
[[nodiscard]] bool covers(const model::PortMapping& mapping, std::uint16_t port, bool host_side,
                          const char* protocol);
/// The first mapping that does.
[[nodiscard]] const model::PortMapping* mapping_of(const model::Container& c, std::uint16_t port,
                                                   bool host_side, const char* protocol);
/// Why podman makes no port rules for this container.
[[nodiscard]] std::string unforwarded(const model::Container& c, const model::Inventory& inventory);

}  // namespace podshark::extcap::probing
