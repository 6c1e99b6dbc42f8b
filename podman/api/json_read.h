// SPDX-License-Identifier: GPL-2.0-or-later
// Reading of foreign JSON without surprises: no accessor here throws, wrong types read as the default.
// Private to podman/api.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "podman/api/limits.h"
#include "podman/core/result.h"

namespace podshark::api {

using json = nlohmann::json;

/// The document as a list: an object is a list of one, null an empty one. `what` names the answer in errors.
[[nodiscard]] Result<json> parse_list(std::string_view text, const std::string& what, std::size_t max_bytes);

/// Member `key`, or a null value when `j` is no object or has none.
[[nodiscard]] const json& member(const json& j, const char* key);
/// Member that is an object or a list, else an empty list: safe to iterate.
[[nodiscard]] const json& children(const json& j, const char* key);

/// The string cut to `max_bytes` on a character boundary; empty for anything but a string.
[[nodiscard]] std::string text(const json& j, std::size_t max_bytes = kMaxName);
[[nodiscard]] std::string text(const json& j, const char* key, std::size_t max_bytes = kMaxName);
[[nodiscard]] bool flag(const json& j, const char* key);
/// A number, or decimal digits in a string, within 0…max; else 0.
[[nodiscard]] std::uint64_t number(const json& j, std::uint64_t max);
/// Unix seconds from a number or an RFC 3339 string; 0 for Go's zero time and anything before 1970.
[[nodiscard]] std::int64_t unix_time(const json& j);

}  // namespace podshark::api
