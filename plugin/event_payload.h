// SPDX-License-Identifier: GPL-2.0-or-later
// Finds the JSON in an event record (docs/FORMAT.md). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace podshark::plugin {

/// The payload of an Upper PDU whose dissector tag says "json"; empty for anything else, cut-off tags
/// included. Points into `data`.
[[nodiscard]] std::string_view event_json(const std::uint8_t* data, std::size_t size);

}  // namespace podshark::plugin
