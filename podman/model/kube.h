// SPDX-License-Identifier: GPL-2.0-or-later
// Pods as the API server of a Kubernetes cluster tells of them. Plain data; every string is a stranger's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "podman/model/inventory.h"

namespace podshark::model {

struct KubeContainer {
  enum class Kind { main, init, ephemeral };
  std::string name;
  std::string image;
  std::string image_id;
  std::string id;               ///< 64 hex digits, of the node's runtime; empty before its first start
  std::string state;            ///< running, waiting, terminated; empty: nothing is known yet
  std::string reason;           ///< why it waits or ended: "ImagePullBackOff", "Error"
  std::int64_t started_at = 0;  ///< Unix seconds
  Kind kind = Kind::main;
  std::vector<PortMapping> ports;  ///< what its spec says; host_port 0: not on the node
  bool operator==(const KubeContainer&) const = default;
};

struct KubePod {
  std::string name_space;
  std::string name;
  std::string uid;
  std::string node;        ///< empty: not scheduled
  std::string phase;       ///< Pending, Running, Succeeded, Failed, Unknown
  std::string reason;      ///< of the phase, or why it was not scheduled
  std::string owner_kind;  ///< of its controller: "deployment", "daemonset", …; empty without
  std::string owner;
  std::vector<std::string> addresses;
  std::map<std::string, std::string> labels;
  std::int64_t created_at = 0;
  bool host_network = false;
  bool deleting = false;
  std::vector<KubeContainer> containers;  ///< init containers first, ephemeral ones last
  bool operator==(const KubePod&) const = default;

  [[nodiscard]] const KubeContainer* container(const std::string& called) const {
    for (const KubeContainer& c : containers) {
      if (c.name == called) return &c;
    }
    return nullptr;
  }
};

}  // namespace podshark::model
