// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>

#include "podman/model/inventory.h"

namespace podshark::discover {

struct Options {
  /// For everything together; podman is killed at its end and what is known by then is returned.
  std::chrono::milliseconds deadline{5000};
  bool all = false;            ///< stopped and created containers too
  std::string proc = "/proc";  ///< for tests
  std::string rootful_socket =
      "/run/podman/podman.sock";  ///< where root's podman service listens, if it does
};

/// The caller's own containers (REST socket when one answers, else the podman command), merged with what
/// conmon processes show of everybody's rootful ones (`limited`). Never fails: what could not be read is in
/// Inventory::problems. Creates nothing on disk: a user without container storage is not given one.
/// Containers are sorted by name, infra containers included (flag `infra`). Blocks up to the deadline.
[[nodiscard]] model::Inventory discover(const Options& options);

/// Only conmon and /proc: a few milliseconds, no podman. All running containers, own and rootful, `limited`.
[[nodiscard]] model::Inventory scan_conmon(const std::string& proc = "/proc");

}  // namespace podshark::discover
