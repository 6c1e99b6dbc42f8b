// SPDX-License-Identifier: GPL-2.0-or-later
// How this folder writes and reads single JSON members. Writing: what is empty, zero or false stays away.
// Reading: a missing key leaves the default; a wrong type throws, and decode_inventory catches it.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "podman/core/text.h"

namespace podshark::annotate {

using json = nlohmann::ordered_json;

/// One line without control characters, also those that JSON allows; bad UTF-8 is replaced.
inline std::string dump(const json& j) {
  return escape_controls(j.dump(-1, ' ', false, json::error_handler_t::replace));
}

inline void put(json& j, const char* key, const std::string& value) {
  if (!value.empty()) j[key] = value;
}
inline void put_number(json& j, const char* key, std::int64_t value) {
  if (value != 0) j[key] = value;
}
inline void put_number(json& j, const char* key, std::uint64_t value) {
  if (value != 0) j[key] = value;
}
inline void put_flag(json& j, const char* key, bool value) {
  if (value) j[key] = true;
}
template <typename List>
void put_list(json& j, const char* key, const List& list) {
  if (!list.empty()) j[key] = list;
}

template <typename T>
void get(const json& j, const char* key, T& out) {
  if (const auto it = j.find(key); it != j.end()) out = it->template get<T>();
}
template <typename T>
void get_unsigned(const json& j, const char* key, T& out) {
  const auto it = j.find(key);
  if (it == j.end()) return;
  if (!it->is_number_unsigned() || it->template get<std::uint64_t>() > std::numeric_limits<T>::max()) {
    throw std::out_of_range(std::string("'") + key + "' is not a number in range");
  }
  out = it->template get<T>();
}

inline void get_signed(const json& j, const char* key, std::int64_t& out) {
  const auto it = j.find(key);
  if (it == j.end()) return;
  const bool large = it->is_number_unsigned() && it->template get<std::uint64_t>() >
                                                     std::uint64_t{std::numeric_limits<std::int64_t>::max()};
  if (!it->is_number_integer() || large)
    throw std::out_of_range(std::string("'") + key + "' is not a number in range");
  out = it->template get<std::int64_t>();
}

template <typename T, typename From>
void list_from(const json& j, const char* key, std::vector<T>& out, From from) {
  const auto it = j.find(key);
  if (it == j.end()) return;
  if (!it->is_array()) throw std::out_of_range(std::string("'") + key + "' is not a list");
  for (const json& element : *it) {
    if (!element.is_object())
      throw std::out_of_range(std::string("'") + key + "' holds something else than objects");
    out.push_back(from(element));
  }
}

}  // namespace podshark::annotate
