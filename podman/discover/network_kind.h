// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

#include "podman/api/parse.h"
#include "podman/model/inventory.h"
#include "podman/model/link.h"

namespace podshark::discover {

/// Sets `kind` and `shares_with` from podman's NetworkMode and the drivers of its networks, and drops
/// attachments that mean nothing (host, none, shared). Pure.
void set_network_kind(model::Container& container, const std::vector<api::NetworkDetails>& networks);

/// Fills link names (and addresses, if missing) from `network inspect`, by MAC, else by network. Pure.
void set_link_names(model::Container& container, const std::vector<api::NetworkDetails>& networks);

/// Sets an unknown `kind` where addresses alone prove it: a default route to an address of a bridge of the
/// host is a bridge network; rootless, slirp4netns' fixed addresses and pasta's copy of a link of the host
/// are these. macvlan and ipvlan look alike from there and stay unknown. `host`: all links of the host. Pure.
void set_kind_from_links(model::Container& container, const std::vector<model::Link>& host);

}  // namespace podshark::discover
