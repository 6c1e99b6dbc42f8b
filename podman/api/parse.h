// SPDX-License-Identifier: GPL-2.0-or-later
// podman's JSON (4.0 to 6, command line and REST) to the model. Pure. What is missing, null or of a wrong
// type is left at its default; an answer that is not JSON of the expected shape is an Error of kind
// no_podman.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "podman/core/result.h"
#include "podman/model/inventory.h"

namespace podshark::api {

/// The elements understood, and one sentence for each thing left out (limits.h) or not understood.
template <typename T>
struct Parsed {
  std::vector<T> items;
  std::vector<std::string> notes;
};

/// One row of `ps`. `container` has no pid identity, mode, addresses or MACs yet; its `networks` hold names
/// only.
struct PsRow {
  model::Container container;
  std::string pod_name;
};
[[nodiscard]] Result<Parsed<PsRow>> parse_ps(std::string_view json);

/// `inspect`, one object or a list. `ports` stay empty: `ps` has them with their ranges.
[[nodiscard]] Result<Parsed<model::Container>> parse_inspect(std::string_view json);

/// A container's link in a network; podman 5 and later.
struct NetworkLink {
  std::string container_id;
  std::string interface;
  std::string mac;
  std::vector<std::string> addresses;
};
struct NetworkDetails {
  model::Network network;
  std::vector<NetworkLink> links;
};
[[nodiscard]] Result<Parsed<NetworkDetails>> parse_networks(std::string_view json);

/// `pod ps` or `pod inspect` (object in 4.x, list in 5.x).
[[nodiscard]] Result<Parsed<model::Pod>> parse_pods(std::string_view json);

/// One of `system connection list`: a podman service, on whatever machine.
struct Connection {
  std::string name;
  std::string uri;       ///< "ssh://user@host:port/path", "unix:///path", "tcp://…"
  std::string identity;  ///< file of a key, or empty
  bool machine = false;  ///< the virtual machine of `podman machine`
  bool is_default = false;
};
[[nodiscard]] Result<Parsed<Connection>> parse_connections(std::string_view json);

/// One line of `podman events --format json` about a container: what podman says of it before anybody can
/// ask. `status` is its verb: create, init, start, died, remove, …
struct ContainerEvent {
  std::string status;
  model::Container container;  ///< id, name, image, labels
};
/// An error for events of other things as well.
[[nodiscard]] Result<ContainerEvent> parse_container_event(std::string_view line);

}  // namespace podshark::api
