// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/api/json_model.h"

#include <algorithm>

namespace podshark::api {
namespace {

bool hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

void first_of(std::string& out, const model::Container& c, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const auto it = c.labels.find(key);
    if (out.empty() && it != c.labels.end()) out = it->second;
  }
}

}  // namespace

std::string id_text(const json& j) {
  std::string id = text(j, 65);
  const bool valid = id.size() >= 12 && id.size() <= 64 && std::all_of(id.begin(), id.end(), hex_digit);
  return valid ? id : std::string();
}

void read_labels(const json& j, model::Container& container) {
  if (!j.is_object()) return;
  for (const auto& [key, value] : j.items()) {
    if (container.labels.size() >= kMaxLabels) break;
    if (value.is_string() && key.size() <= kMaxName) container.labels[key] = text(value, kMaxText);
  }
  first_of(container.systemd_unit, container, {"PODMAN_SYSTEMD_UNIT"});
  first_of(container.compose_project, container, {"com.docker.compose.project", "io.podman.compose.project"});
  first_of(container.compose_service, container, {"com.docker.compose.service", "io.podman.compose.service"});
}

std::string mac_text(const json& j) {
  std::string mac = text(j);
  std::transform(mac.begin(), mac.end(), mac.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
  return mac;
}

}  // namespace podshark::api
