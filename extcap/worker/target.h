// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "extcap/worker/protocol.h"
#include "podman/core/fd.h"

namespace podshark::worker {

struct OpenedNetns {
  UniqueFd fd;
  Stage stage = Stage::done;
  int error = 0;
};

/// Opens the network namespace that `request` names, and proves that it is the one meant and, when
/// `borrowed`, that a podman container owns it: open first, verify then, so that nothing can change in
/// between. `passed` came with the request (TargetKind::descriptor) or is invalid.
OpenedNetns open_target(const Request& request, bool borrowed, UniqueFd passed);

}  // namespace podshark::worker
