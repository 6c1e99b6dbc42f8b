// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

#include "podman/api/parse.h"
#include "podman/model/inventory.h"

namespace podshark::discover {

/// Sets `kind` and `shares_with` from podman's NetworkMode and the drivers of its networks, and drops
/// attachments that mean nothing (host, none, shared). Pure.
void set_network_kind(model::Container& container, const std::vector<api::NetworkDetails>& networks);

/// Fills link names (and addresses, if missing) from `network inspect`, by MAC, else by network. Pure.
void set_link_names(model::Container& container, const std::vector<api::NetworkDetails>& networks);

}  // namespace podshark::discover
