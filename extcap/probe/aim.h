// SPDX-License-Identifier: GPL-2.0-or-later
// From a target as written to an address, a port and what is known about who is behind it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "extcap/probe/reach.h"
#include "extcap/probe/request.h"
#include "extcap/probe/source.h"
#include "podman/core/result.h"
#include "podman/model/inventory.h"
#include "podman/probe/attempt.h"

namespace podshark::extcap::probing {

struct Aim {
  std::string target;  ///< "web:80/tcp", clean
  probe::Protocol protocol = probe::Protocol::tcp;
  probe::Endpoint to;
  std::vector<std::string> dns_names;  ///< protocol dns: what to ask `to` for
  /// The container behind it, whose namespace is looked into; without a pid when none is known.
  model::Container container;
  std::string container_name;        ///< as it is called by the user, clean; empty for none
  std::uint16_t container_port = 0;  ///< inside the container
  bool published = false;            ///< `to` is a published port on the host
  std::string unforwarded;           ///< probe::Evidence::unforwarded
  std::vector<std::string> notes;    ///< what the user should know about the choice
};

/// Looks a host name up as the source does.
class Resolver {
 public:
  virtual ~Resolver() = default;
  /// ErrorKind::not_found when nobody knows the name.
  [[nodiscard]] virtual Result<IpAddress> resolve(const Source& source, const std::string& name) = 0;
};

struct AimOptions {
  bool published = false;  ///< --published
  bool mtu = false;        ///< --mtu
};

/// ErrorKind::usage (no port), not_found, not_running, unsupported (an address that means nothing at the
/// source).
[[nodiscard]] Result<Aim> find_aim(const TargetText& target, const Source& source,
                                   const model::Inventory& inventory, uid_t caller, const AimOptions& options,
                                   Resolver& resolver);

/// Aims at `mapping`, `offset` ports after its first.
void aim_published(const model::PortMapping& mapping, std::uint16_t offset, const IpAddress& host, Aim& aim);
}  // namespace podshark::extcap::probing
