// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "podman/core/result.h"
#include "podman/model/inventory.h"

namespace podshark::annotate {

/// Where the inventory of a capture file is looked for: web.pcap and web.pcap.gz → web.podman.json.
[[nodiscard]] std::string inventory_beside(const std::string& capture);

/// One that `podshark inventory` has printed; `name` says in messages where it is from. ErrorKind::usage for
/// anything else.
[[nodiscard]] Result<model::Inventory> whole_inventory(std::string_view text, const std::string& name);
/// … and saved in this file.
[[nodiscard]] Result<model::Inventory> read_inventory(const std::string& path);

}  // namespace podshark::annotate
