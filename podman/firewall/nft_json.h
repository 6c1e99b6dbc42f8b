// SPDX-License-Identifier: GPL-2.0-or-later
// Reading nft's JSON (libnftables-json(5)) without surprises: no accessor throws, wrong types read as the
// default. Private to podman/firewall.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "podman/firewall/limits.h"

namespace podshark::firewall {

using json = nlohmann::json;

/// Member `key`, or a null value when `j` is no object or has none.
[[nodiscard]] const json& member(const json& j, const char* key);
/// The one member of {"name": …} and its name; name empty for anything else.
struct Tagged {
  std::string name;
  const json* value = nullptr;
};
[[nodiscard]] Tagged tagged(const json& j);
/// The string cut to kMaxName bytes; empty for anything but a string.
[[nodiscard]] std::string text(const json& j);
[[nodiscard]] std::string text(const json& j, const char* key);
/// A number within 0…max.
[[nodiscard]] std::optional<std::uint64_t> number(const json& j, std::uint64_t max);

}  // namespace podshark::firewall
