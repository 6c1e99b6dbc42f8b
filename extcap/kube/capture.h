// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "extcap/capture/output.h"
#include "extcap/capture/session.h"
#include "podman/core/result.h"

namespace podshark::extcap::kube {

/// Captures in pods ("kube://…", pod_name.h) by the best of the ways that they leave (ways.h), into the same
/// pcapng as a capture here, with less in it: docs/KUBERNETES.md. Ends as run_session() does; signals must
/// have been prepared (prepare_signals()). `line`: what people are told.
[[nodiscard]] Result<Summary> capture_pods(const std::vector<std::string>& names, Output output,
                                           const SessionOptions& options,
                                           const std::function<void(const std::string&)>& line);

/// Options that only a capture on the pod's own machine could have: ErrorKind::unsupported names the first of
/// them. Pure.
[[nodiscard]] Status possible_in_pods(const SessionOptions& options);

}  // namespace podshark::extcap::kube
