// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>
#include <vector>

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

/// What podman of another machine said to a user there: JSON of `ps`, `inspect`, `network inspect` and
/// `pod ps`; empty: it was not asked.
struct PodmanSaid {
  uid_t owner = 0;  ///< that user
  std::string ps, inspect, networks, pods;
};
/// The same inventory from that, of several users. Process ids are what podman believes; nothing is checked,
/// nothing of /proc is in it. `all` as in Options.
[[nodiscard]] model::Inventory read_answers(const std::vector<PodmanSaid>& said, bool all);

}  // namespace podshark::discover
