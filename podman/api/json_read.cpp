// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/api/json_read.h"

#include <cstdio>
#include <ctime>

#include "podman/core/text.h"

namespace podshark::api {
namespace {

const json kNull;
const json kEmptyList = json::array();

std::int64_t from_rfc3339(const std::string& value) {
  std::tm tm{};
  int used = 0;
  if (std::sscanf(value.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                  &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &used) != 6 ||
      tm.tm_mon < 1) {
    return 0;
  }
  tm.tm_year -= 1900;
  tm.tm_mon -= 1;
  std::size_t at = static_cast<std::size_t>(used);
  if (at < value.size() && value[at] == '.') at = value.find_first_not_of("0123456789", at + 1);
  std::int64_t offset = 0;
  int hours = 0;
  int minutes = 0;
  if (at < value.size() && std::sscanf(value.c_str() + at, "%3d:%2d", &hours, &minutes) == 2) {
    const bool west = value[at] == '-';
    offset = hours * 3600 + (west ? -minutes : minutes) * 60;
  }
  const std::int64_t seconds = static_cast<std::int64_t>(timegm(&tm)) - offset;
  return seconds > 0 ? seconds : 0;
}

}  // namespace

Result<json> parse_list(std::string_view text, const std::string& what, std::size_t max_bytes) {
  const auto bad = [&](const std::string& why) {
    return Error{ErrorKind::no_podman, what + ": " + why, "does `podman ps` work in a terminal?"};
  };
  if (text.size() > max_bytes) return bad("answer is larger than " + std::to_string(max_bytes) + " bytes");
  if (trim(text).empty()) return bad("empty answer");
  json document = json::parse(text, nullptr, /* allow_exceptions= */ false);
  if (document.is_discarded()) return bad("answer is not JSON: '" + one_line(trim(text), 60) + "'");
  if (document.is_null()) return json::array();
  if (document.is_object()) {
    json list = json::array();
    list.push_back(std::move(document));
    return list;
  }
  if (!document.is_array()) return bad("answer is not a JSON list");
  return document;
}

const json& member(const json& j, const char* key) {
  if (!j.is_object()) return kNull;
  const auto it = j.find(key);
  return it == j.end() ? kNull : *it;
}

const json& children(const json& j, const char* key) {
  const json& found = member(j, key);
  return found.is_structured() ? found : kEmptyList;
}

std::string text(const json& j, std::size_t max_bytes) {
  const auto* value = j.get_ptr<const std::string*>();
  if (value == nullptr) return {};
  if (value->size() <= max_bytes) return *value;
  std::size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>((*value)[end]) & 0xC0U) == 0x80) --end;
  return value->substr(0, end);
}

std::string text(const json& j, const char* key, std::size_t max_bytes) {
  return text(member(j, key), max_bytes);
}

bool flag(const json& j, const char* key) {
  const auto* value = member(j, key).get_ptr<const bool*>();
  return value != nullptr && *value;
}

std::uint64_t number(const json& j, std::uint64_t max) {
  std::uint64_t out = 0;
  if (j.is_string()) {
    (void)parse_number(*j.get_ptr<const std::string*>(), max, out);
  } else if (const auto* value = j.get_ptr<const std::uint64_t*>(); value != nullptr && *value <= max) {
    out = *value;  // negative numbers have another type in this library
  }
  return out;
}

std::int64_t unix_time(const json& j) {
  if (j.is_string()) return from_rfc3339(*j.get_ptr<const std::string*>());
  constexpr std::uint64_t kYear9999 = 253'402'300'799;
  return static_cast<std::int64_t>(number(j, kYear9999));
}

}  // namespace podshark::api
