// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
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
/// … and put beside this capture; nullopt when there is none. Anybody may put one into /tmp: it is read when
/// it is a file, not a link, that belongs to this user, to root, or to whom the capture belongs; else
/// ErrorKind::permission.
[[nodiscard]] Result<std::optional<model::Inventory>> inventory_of(const std::string& capture);

}  // namespace podshark::annotate
