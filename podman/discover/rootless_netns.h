// SPDX-License-Identifier: GPL-2.0-or-later
// Namespace files of a user's rootless podman. They are mounted in the mount namespace of podman's pause
// process only: outside they are empty regular files. Nothing is entered or started here; `podman unshare
// --rootless-netns` would repair what it looks at.
#pragma once

#include <string>

#include "podman/core/fd.h"
#include "podman/core/result.h"
#include "podman/discover/storage.h"

namespace podshark::discover {

/// The namespace with the bridges of the user's rootless networks. ErrorKind::not_running when there is none
/// now: no container on such a network runs.
[[nodiscard]] Result<UniqueFd> open_rootless_netns(const User& user);

/// The namespace behind RUNTIME_DIR/netns/`name`. Fails while podman is still making it.
[[nodiscard]] Result<UniqueFd> open_netns_file(const User& user, const std::string& name);

/// Where podman makes a file for each new container namespace: /run/netns, or RUNTIME_DIR/netns.
[[nodiscard]] std::string netns_directory(const User& user);

}  // namespace podshark::discover
