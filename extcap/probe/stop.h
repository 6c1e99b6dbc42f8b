// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "podman/core/fd.h"
#include "podman/core/result.h"

namespace podshark::extcap::probing {

/// A descriptor that becomes readable with SIGINT, SIGTERM or SIGHUP, which do nothing else from now on.
[[nodiscard]] Result<UniqueFd> stop_signals();

}  // namespace podshark::extcap::probing
