// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "podman/annotate/codec.h"

namespace podshark::plugin {

/// The JSON in an event record (docs/FORMAT.md); empty for anything else, cut-off tags included. Points into
/// `data`.
[[nodiscard]] inline std::string_view event_json(const std::uint8_t* data, std::size_t size) {
  return annotate::upper_pdu_json({reinterpret_cast<const char*>(data), size});
}

}  // namespace podshark::plugin
