// SPDX-License-Identifier: GPL-2.0-or-later
// The model's structs as JSON objects, both directions: the keys of docs/FORMAT.md.
#pragma once

#include "podman/annotate/json_text.h"
#include "podman/model/inventory.h"

namespace podshark::annotate {

[[nodiscard]] json to_json(const model::Container& container);
[[nodiscard]] json to_json(const model::Pod& pod);
[[nodiscard]] json to_json(const model::Network& network);
[[nodiscard]] json to_json(const model::Problem& problem);

/// Throw when a value has the wrong type.
[[nodiscard]] model::Container container_from(const json& j);
[[nodiscard]] model::Pod pod_from(const json& j);
[[nodiscard]] model::Network network_from(const json& j);
[[nodiscard]] model::Problem problem_from(const json& j);

}  // namespace podshark::annotate
