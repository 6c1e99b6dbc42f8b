// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "extcap/capture/nat_watch.h"
#include "extcap/capture/source.h"
#include "podman/model/inventory.h"

namespace podshark::extcap {

/// Where the addresses of captured containers are translated: the host, for rootful networks, and the
/// namespace of the caller's rootless networks. Follows whoever is captured; none of it failing ends a
/// capture.
class NatLegs {
 public:
  struct Hooks {
    NatWatch::Record record;
    std::function<void(const std::string&)> unavailable;  ///< why translations are not seen; once per place
  };
  /// What is passed outlives the object.
  NatLegs(WorkerClient& worker, EventLoop& loop, Hooks hooks);

  void captured(const std::vector<std::unique_ptr<Source>>& sources, const model::Inventory& inventory);
  /// Once a second.
  void tick();
  /// Tells again of what goes on, for a new file.
  void repeat(const NatWatch::Record& record);

 private:
  struct Side {
    bool rootless = false;
    std::unique_ptr<NatWatch> watch;
    bool given_up = false;
  };
  void serve(Side& side, NatOwners owners);
  void open(Side& side);

  WorkerClient& worker_;
  EventLoop& loop_;
  Hooks hooks_;
  Side host_{.rootless = false, .watch = {}};
  Side rootless_{.rootless = true, .watch = {}};
};

/// Addresses of the captured containers on bridges (macvlan and ipvlan included) that are translated at that
/// side. Pure.
[[nodiscard]] NatOwners nat_owners(const std::vector<Target>& targets, const model::Inventory& inventory,
                                   bool rootless);

}  // namespace podshark::extcap
