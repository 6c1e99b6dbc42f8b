// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <string>

namespace podshark::discover {

/// Where things of the calling user are; from the environment, tests fill it by hand.
struct User {
  uid_t uid = 0;
  std::string home;
  std::string config_home;   ///< $XDG_CONFIG_HOME or ~/.config
  std::string data_home;     ///< $XDG_DATA_HOME or ~/.local/share
  std::string runtime_dir;   ///< $XDG_RUNTIME_DIR or /run/user/UID
  std::string storage_conf;  ///< $CONTAINERS_STORAGE_CONF, empty when unset
};
[[nodiscard]] User calling_user();

/// Directory of the user's images and containers as containers-storage.conf(5) decides it. `root` goes before
/// the system's own files (tests).
[[nodiscard]] std::string graph_root(const User& user, const std::string& root = "");

/// podman has been used by this user before: calling it creates nothing new.
[[nodiscard]] bool has_storage(const User& user, const std::string& root = "");

}  // namespace podshark::discover
