// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "extcap/kube/pod_name.h"
#include "podman/core/result.h"

namespace podshark::extcap::kube {

/// "kube://[CONTEXT@]NAMESPACE/POD:PORT", TCP. Pure.
struct PodPort {
  PodName pod;
  std::uint16_t port = 0;
};
[[nodiscard]] Result<PodPort> parse_pod_port(const std::string& text);

/// What a connection through `kubectl port-forward` to a port of a pod proves: the node connects to 127.0.0.1
/// within the pod's network, so that something listens there and accepts, or does not.
struct PodProbe {
  bool reached = false;
  std::string outcome;  ///< ok, refused, filtered, closed or failed
  std::string words;    ///< what was seen
  std::chrono::microseconds after{0};
};
/// Through the API server, within `limit` from the connection on; blocks. An error when it could not be
/// tried.
[[nodiscard]] Result<PodProbe> probe_pod(const PodPort& target, std::chrono::milliseconds limit);

/// What kubectl said about a connection that it could not forward. Pure.
[[nodiscard]] PodProbe forward_failure(const std::string& said);

}  // namespace podshark::extcap::kube
