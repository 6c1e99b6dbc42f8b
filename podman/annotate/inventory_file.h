// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace podshark::annotate {

/// Where the inventory of a capture file is looked for: web.pcap and web.pcap.gz → web.podman.json.
[[nodiscard]] std::string inventory_beside(const std::string& capture);

}  // namespace podshark::annotate
