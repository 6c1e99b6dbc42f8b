// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/api/transport.h"

#include <algorithm>

#include "podman/api/limits.h"

namespace podshark::api {

std::chrono::milliseconds time_left(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return std::max(left, std::chrono::milliseconds(0));
}

bool is_podman_name(const std::string& name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const auto allowed = [&](char c) { return plain(c) || c == '_' || c == '.' || c == '-'; };
  return !name.empty() && name.size() <= kMaxName && plain(name[0]) &&
         std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace podshark::api
