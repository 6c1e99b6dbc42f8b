// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "extcap/capture/output.h"
#include "extcap/capture/session.h"
#include "extcap/remote/far_host.h"
#include "podman/core/result.h"

namespace podshark::extcap::remote {

/// Captures containers of a machine without podshark, by the best of the ways that it leaves (far_ways.h),
/// into the same pcapng as a capture here, with less in it: docs/REMOTE.md. Ends as run_session() does;
/// signals must have been prepared (prepare_signals()). `line`: what people are told, the way that was taken
/// among it.
[[nodiscard]] Result<Summary> capture_without(const FarHost& host, const std::vector<std::string>& names,
                                              Output output, const SessionOptions& options,
                                              const std::function<void(const std::string&)>& line);

}  // namespace podshark::extcap::remote
