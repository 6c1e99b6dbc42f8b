// SPDX-License-Identifier: GPL-2.0-or-later
// A privileged pod on the node of another one, which reaches that one's network from outside. Only where it
// was asked for. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "extcap/capture/method.h"
#include "podman/core/result.h"

namespace podshark::extcap::kube {

struct NodePod {
  std::string image;                ///< with sh, grep and nsenter; empty: there is no such pod
  std::string name_space;           ///< in which it is made
  std::string name;                 ///< its own
  std::string node;                 ///< on which the pod to be captured runs
  std::string container_id;         ///< of a container of that pod
  std::function<void()> made = {};  ///< called before it is made: it is to be removed
};
inline constexpr const char* kNodeContainer = "podshark";
/// By which those of ended captures are found.
inline constexpr const char* kNodePodLabel = "app.kubernetes.io/managed-by=podshark";

/// An image, as one can be named: letters, digits and what stands between them, at most 300 bytes.
[[nodiscard]] bool is_image_name(const std::string& text);

/// It as one line of JSON. It ends half a minute after the last of entered_pod() has, however that came
/// about, and after a day in any case. ErrorKind::not_running when the other pod's node or container is not
/// known.
[[nodiscard]] Result<std::string> node_pod_json(const NodePod& pod);

/// `argv` in the network of the container, for a shell in that pod. It gets SIGTERM when the container's
/// first process ends. Exit codes of its own:
[[nodiscard]] Argv entered_pod(const std::string& container_id, const Argv& argv);
inline constexpr int kNoProcess = 94;  ///< none belongs to the container
inline constexpr int kNoEnter = 95;    ///< the image lacks nsenter or grep

}  // namespace podshark::extcap::kube
