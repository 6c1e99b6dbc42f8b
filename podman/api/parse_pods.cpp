// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "podman/api/json_model.h"
#include "podman/api/json_read.h"
#include "podman/api/parse.h"

namespace podshark::api {
namespace {

std::string first_text(const json& j, const char* key, const char* other_key) {
  std::string value = text(j, key);
  return value.empty() ? text(j, other_key) : value;
}

// `pod ps` says InfraId and Status, `pod inspect` InfraContainerID and State.
model::Pod pod_from(const json& j) {
  model::Pod pod;
  pod.id = id_text(member(j, "Id"));
  pod.name = text(j, "Name");
  pod.state = first_text(j, "Status", "State");
  pod.infra_id = id_text(member(j, "InfraId"));
  if (pod.infra_id.empty()) pod.infra_id = id_text(member(j, "InfraContainerID"));
  for (const json& container : children(j, "Containers")) {
    std::string id = id_text(member(container, "Id"));
    if (!id.empty() && pod.members.size() < kMaxContainers) pod.members.push_back(std::move(id));
  }
  std::sort(pod.members.begin(), pod.members.end());  // podman's order changes from call to call
  return pod;
}

}  // namespace

Result<Parsed<model::Pod>> parse_pods(std::string_view text) {
  return parse_items<model::Pod>(text, "podman pod ps", kMaxListBytes, kMaxPods, pod_from,
                                 [](const model::Pod& pod) { return !pod.id.empty(); });
}

}  // namespace podshark::api
