// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/nft_json.h"

namespace podshark::firewall {
namespace {

const json kNull;

}  // namespace

const json& member(const json& j, const char* key) {
  if (!j.is_object()) return kNull;
  const auto it = j.find(key);
  return it == j.end() ? kNull : *it;
}

Tagged tagged(const json& j) {
  if (!j.is_object() || j.size() != 1) return {{}, &kNull};
  const auto it = j.begin();
  return {it.key().substr(0, kMaxName), &it.value()};
}

std::string text(const json& j) {
  const auto* value = j.get_ptr<const std::string*>();
  return value == nullptr ? std::string() : value->substr(0, kMaxName);
}

std::string text(const json& j, const char* key) {
  return text(member(j, key));
}

std::optional<std::uint64_t> number(const json& j, std::uint64_t max) {
  const auto* value =
      j.get_ptr<const std::uint64_t*>();  // negative numbers have another type in this library
  if (value == nullptr || *value > max) return std::nullopt;
  return *value;
}

}  // namespace podshark::firewall
