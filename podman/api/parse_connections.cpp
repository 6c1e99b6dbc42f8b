// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/api/json_model.h"
#include "podman/api/json_read.h"
#include "podman/api/parse.h"

namespace podshark::api {

Result<Parsed<Connection>> parse_connections(std::string_view json_text) {
  const auto from = [](const json& j) {
    return Connection{text(j, "Name"), text(j, "URI", kMaxText), text(j, "Identity", kMaxText),
                      flag(j, "IsMachine"), flag(j, "Default")};
  };
  return parse_items<Connection>(json_text, "podman system connection list", kMaxListBytes, kMaxConnections,
                                 from, [](const Connection& c) { return !c.name.empty() && !c.uri.empty(); });
}

}  // namespace podshark::api
