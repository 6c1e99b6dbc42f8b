// SPDX-License-Identifier: GPL-2.0-or-later
// Names that podman's own name server (aardvark-dns) answered with. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "plugin/address.h"

namespace podshark::plugin {

struct DnsName {
  Address address;
  std::string name;  ///< "db", without the domain of podman's networks
};

/// A and AAAA records below "dns.podman" in an answer (RFC 1035, UDP payload). Anything else, also what is
/// cut off or loops, gives fewer names or none.
[[nodiscard]] std::vector<DnsName> podman_dns_names(const std::uint8_t* data, std::size_t size);

}  // namespace podshark::plugin
