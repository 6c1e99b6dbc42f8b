// SPDX-License-Identifier: GPL-2.0-or-later
// The machines whose containers Wireshark lists: saved ones, and podman's connections. Pure.
#pragma once

#include <string>
#include <vector>

#include "extcap/remote/far_host.h"
#include "podman/api/parse.h"

namespace podshark::extcap::remote {

struct ListedHost {
  FarHost host;
  bool saved = false;
  std::string from;        ///< "saved", "podman connection NAME", "podman machine NAME", "CONTAINER_HOST"
  std::string connection;  ///< podman's name for it, empty without
};

/// podman's variables for its remote client; empty when they are not set.
struct PodmanVariables {
  std::string host;        ///< CONTAINER_HOST
  std::string key;         ///< CONTAINER_SSHKEY
  std::string connection;  ///< CONTAINER_CONNECTION
};

struct ListedHosts {
  std::vector<ListedHost> hosts;   ///< no two are the same place
  std::vector<std::string> notes;  ///< one sentence for each connection that ssh can not follow
};

/// Saved hosts in their order, then CONTAINER_HOST, the connection that CONTAINER_CONNECTION names, podman's
/// default and the others. One that is saved too is the saved one, and keeps podman's name. Connections to
/// sockets of this machine are left out.
[[nodiscard]] ListedHosts listed_hosts(const std::vector<FarHost>& saved,
                                       const std::vector<api::Connection>& connections,
                                       const PodmanVariables& variables);

/// The one that a person means: by place, else by podman's name for it; nullptr.
[[nodiscard]] const ListedHost* find_host(const std::vector<ListedHost>& hosts, const FarHost& named);

}  // namespace podshark::extcap::remote
