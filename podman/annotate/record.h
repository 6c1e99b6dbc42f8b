// SPDX-License-Identifier: GPL-2.0-or-later
// What every event record begins with.
#pragma once

#include <string_view>

#include "podman/annotate/codec.h"
#include "podman/annotate/json_text.h"

namespace podshark::annotate {

/// {"podshark":1,"kind":…,"time":…}
[[nodiscard]] json record(const char* kind, std::int64_t time_ns);

/// The object in `text`, of a schema version that we know. Throws for anything else.
[[nodiscard]] json parse_record(std::string_view text);
[[nodiscard]] bool is_inventory(const json& record);
/// What a record of the one kind, or of any other, says. Throw when a value has the wrong type.
[[nodiscard]] InventoryPart inventory_from(const json& record);
[[nodiscard]] Event event_from(const json& record);

/// Nanoseconds since 1970 from RFC 3339 as rfc3339() writes it; anything else is 0.
[[nodiscard]] std::int64_t time_from(const std::string& text);

}  // namespace podshark::annotate
