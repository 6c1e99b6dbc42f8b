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
[[nodiscard]] std::string interface_value(const model::Network& network);
/// "podman@HOST:web": a container of another machine; "podman@HOST:choose": any of it. When that is too long,
/// first the host's name is cut, then the container's.
[[nodiscard]] std::string far_interface_value(const std::string& host, const std::string& container);
[[nodiscard]] std::string far_choose_value(const std::string& host);
inline constexpr const char* kFarPrefix = "podman@";
inline constexpr const char* kAllValue = "podman:all";
inline constexpr const char* kChooseValue = "podman:choose";

/// "Podman web · nginx:1.27 · 10.89.0.2 · 8080→80", safe for any sentence or terminal.
[[nodiscard]] std::string display_text(const model::Container& container, uid_t caller);
[[nodiscard]] std::string display_text(const model::Pod& pod);
[[nodiscard]] std::string display_text(const model::Network& network, std::size_t containers);

/// "shop/web", POD/CONTAINER of `podman kube play`, "NAMESPACE/POD/CONTAINER" of Kubernetes; empty for
/// others.
[[nodiscard]] std::string kubernetes_name(const model::Container& container);

/// Where packets are seen: in the container's namespace, or on the host's links (or those of the rootless
/// network) that lead to it.
enum class Point { inside, host };

/// One thing to capture, and the name its interfaces get.
struct Target {
  std::string value;           ///< interface value, the stem of `if_name`
  model::Container container;  ///< whose process or netns file is entered; empty for a network
  std::string pod;             ///< pod name, empty without
  std::string network;         ///< podman network whose bridge is captured, empty for containers
  Point point = Point::inside;
  model::Container chosen = {};  ///< the one that was named; of a pod, one that is not its infra container
};

/// "container web", "network lan", "the host's side of container web".
[[nodiscard]] std::string what(const Target& target);

struct Targets {
  std::vector<Target> running;
  std::vector<model::Container> stopped;  ///< named, known, and without a process
};

/// What a person or Wireshark named: interface values, container names or (at least 3 digits of) ids,
/// "pod/NAME", "net/NAME", a kubernetes_name(), "all", "label=KEY" or "label=KEY=VALUE", or a glob(7) for
/// names. A name that fits nothing is ErrorKind::not_found, an ambiguous id usage; a stopped container is in
/// Targets::stopped. Containers that share a network namespace give one target, except in the host's.
[[nodiscard]] Result<Targets> resolve(const std::vector<std::string>& names,
                                      const model::Inventory& inventory, uid_t caller);

/// The same for a capture that is under way: whatever of it runs now; what does not is left out.
[[nodiscard]] std::vector<Target> resolve_running(const std::vector<std::string>& names,
                                                  const model::Inventory& inventory, uid_t caller);

/// ErrorKind::not_running with how to start it.
[[nodiscard]] Error not_running(const model::Container& container);

/// May stand for several containers, or for some that do not exist yet: a glob, a label, a pod, a network,
/// "all".
[[nodiscard]] bool names_a_group(const std::string& name);

}  // namespace podshark::extcap
