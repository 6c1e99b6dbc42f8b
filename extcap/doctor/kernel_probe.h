// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "extcap/doctor/scene.h"

namespace podshark::extcap::doctor {

/// Tries what a capture needs from the kernel, in a child process with namespaces of its own when the caller
/// has no CAP_NET_RAW. Changes nothing.
[[nodiscard]] Kernel probe_kernel();

}  // namespace podshark::extcap::doctor
