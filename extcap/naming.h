// SPDX-License-Identifier: GPL-2.0-or-later
// How containers are called in Wireshark's interface list and on the command line. Pure.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "podman/core/result.h"
#include "podman/model/inventory.h"

namespace podshark::extcap {

/// Interface values are preference keys, fifo names and `-i` arguments: shorter than this many bytes.
inline constexpr std::size_t kMaxInterfaceName = 64;

/// "podman:web" for the caller's own container, "podman-root:db" for a rootful one seen by another user.
/// Longer names are cut and end in "~" and 6 hex digits of their hash. `caller` is the effective user id.
[[nodiscard]] std::string interface_value(const model::Container& container, uid_t caller);
[[nodiscard]] std::string interface_value(const model::Pod& pod);
inline constexpr const char* kAllValue = "podman:all";
inline constexpr const char* kChooseValue = "podman:choose";

/// "Podman web · nginx:1.27 · 10.89.0.2 · 8080→80", safe for any sentence or terminal.
[[nodiscard]] std::string display_text(const model::Container& container, uid_t caller);
[[nodiscard]] std::string display_text(const model::Pod& pod);

/// One network namespace to capture in, and the name its interfaces get.
struct Target {
  std::string value;           ///< interface value, the stem of `if_name`
  model::Container container;  ///< whose process or netns file is entered
  std::string pod;             ///< pod name, empty without
};

/// What a person or Wireshark named: interface values, container names or (at least 3 digits of) ids,
/// "pod/NAME", "all". A name that fits nothing is ErrorKind::not_found, a stopped container not_running, host
/// network unsupported, an ambiguous id usage. Containers that share a network namespace give one target.
[[nodiscard]] Result<std::vector<Target>> resolve(const std::vector<std::string>& names,
                                                  const model::Inventory& inventory, uid_t caller);

}  // namespace podshark::extcap
