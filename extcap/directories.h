// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "podman/core/result.h"

namespace podshark::extcap {

/// A directory of the calling user's own (mode 0700, made when it is missing) for what his podshark processes
/// share: $XDG_RUNTIME_DIR/podshark, /run/podshark for root, else /run/user/UID or /tmp/podshark-UID. An
/// error when it cannot be had or somebody else may write to it.
[[nodiscard]] Result<std::string> runtime_directory();

/// The same for what may be kept: $XDG_CACHE_HOME/podshark, else ~/.cache/podshark.
[[nodiscard]] Result<std::string> cache_directory();
/// Where that is, whether or not it is there; empty without a home.
[[nodiscard]] std::string cache_path();

/// What the user has set: $XDG_CONFIG_HOME/podshark, else ~/.config/podshark. Others may read it, and it may
/// be a link.
[[nodiscard]] Result<std::string> config_directory();
[[nodiscard]] std::string config_path();

}  // namespace podshark::extcap
