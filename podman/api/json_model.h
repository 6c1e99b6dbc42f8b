// SPDX-License-Identifier: GPL-2.0-or-later
// Pieces of the model that several of podman's answers contain. Private to podman/api.
#pragma once

#include <string>
#include <utility>

#include "podman/api/json_read.h"
#include "podman/api/parse.h"
#include "podman/model/inventory.h"

namespace podshark::api {

/// The text when it is an id (lower-case hexadecimal, 12 to 64 digits), else empty: ids go into arguments and
/// paths.
[[nodiscard]] std::string id_text(const json& j);

/// Labels, and what they say about compose and systemd. A label set again replaces nothing it does not name.
void read_labels(const json& j, model::Container& container);

/// Lower-case MAC.
[[nodiscard]] std::string mac_text(const json& j);

/// The objects of a list, each through `from`; those for which `valid` is false are counted into a note.
/// `things`: what more than `max_items` of them are called.
template <typename T, typename From, typename Valid>
Parsed<T> take_items(const json& list, const std::string& what, std::size_t max_items, const char* things,
                     From from, Valid valid) {
  Parsed<T> out;
  std::size_t skipped = 0;
  for (const json& j : list) {
    if (out.items.size() == max_items) {
      out.notes.push_back(what + ": more than " + std::to_string(max_items) + " " + things +
                          ", ignoring the rest");
      break;
    }
    T item = from(j);
    if (valid(item)) {
      out.items.push_back(std::move(item));
    } else {
      ++skipped;
    }
  }
  if (skipped > 0)
    out.notes.push_back(what + ": " + std::to_string(skipped) + " entries not understood, ignoring them");
  return out;
}

/// The same for the text of a list.
template <typename T, typename From, typename Valid>
Result<Parsed<T>> parse_items(std::string_view text, const std::string& what, std::size_t max_bytes,
                              std::size_t max_items, From from, Valid valid) {
  const Result<json> list = parse_list(text, what, max_bytes);
  if (!list) return list.error();
  return take_items<T>(*list, what, max_items, "entries", from, valid);
}

}  // namespace podshark::api
