// SPDX-License-Identifier: GPL-2.0-or-later
// Facts for the checks of podman/diagnose, read once. Nothing is changed, nothing is sent but a query to each
// of the host's name servers. Parts that may not be read become Facts::unseen.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "extcap/worker_client.h"
#include "podman/diagnose/facts.h"

namespace podshark::extcap::check {

struct CollectOptions {
  bool try_resolvers = true;  ///< ask the host's name servers something, one second at most
  std::string root;           ///< before /run, /etc (tests)
};

/// `facts` has its inventory and question; everything else is filled in. Must run single-threaded (it forks).
void collect(diagnose::Facts& facts, const CollectOptions& options);

/// Of a machine without podshark: only what podman there said, which is facts.inventory, is looked at.
/// `caller`: who we are there.
void collect_elsewhere(diagnose::Facts& facts, uid_t caller, const std::string& host);

/// Only what the rules of the host and of the rootless networks say, and the links and routes they speak of.
void collect_rules(diagnose::Facts& facts);

/// The namespace of the caller's rootless networks; nothing when there is none now.
[[nodiscard]] std::optional<NetnsPlace> rootless_networks();

}  // namespace podshark::extcap::check
