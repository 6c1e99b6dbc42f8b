// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/interface_text.h"

#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

std::string network_list(const model::Container& c) {
  std::string out;
  for (const auto& n : c.networks) {
    if (!n.network.empty()) out += (out.empty() ? "" : ",") + word(n.network, 60);
  }
  return out;
}

}  // namespace

const char* to_string(Point point) {
  return point == Point::inside ? "inside" : "host";
}

std::string word(const std::string& value, std::size_t max) {
  std::string out = one_line(value, max);
  for (char& c : out) {
    if (c == ' ' || c == '=') c = '_';
  }
  return out;
}

std::string interface_description(const Target& target, bool with_point) {
  const model::Container& c = target.container;
  std::string out;
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) out += std::string(out.empty() ? "" : " ") + key + "=" + value;
  };
  add("container", word(c.name, 120));
  add("id", c.id.substr(0, 12));
  add("image", word(c.image, 200));
  add("pod", word(target.pod, 120));
  add("namespace", word(c.kubernetes.name_space, 120));
  add("network", target.network.empty() ? network_list(c) : word(target.network, 120));
  // What a cluster's API server does not tell.
  const bool known = !c.id.empty() && c.kubernetes.name_space.empty();
  if (known) add("mode", model::to_string(c.kind));
  if (with_point) add("point", to_string(target.point));
  if (known) add("rootless", c.rootless ? "yes" : "no");
  return out;
}

}  // namespace podshark::extcap
