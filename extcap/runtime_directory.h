// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "podman/core/result.h"

namespace podshark::extcap {

/// A directory of the calling user's own (mode 0700, made when it is missing) for what his podshark processes
/// share: $XDG_RUNTIME_DIR/podshark, /run/podshark for root, else /run/user/UID or /tmp/podshark-UID. An
/// error when it cannot be had or somebody else may write to it.
[[nodiscard]] Result<std::string> runtime_directory();

}  // namespace podshark::extcap
