// SPDX-License-Identifier: GPL-2.0-or-later
// What every event record begins with.
#pragma once

#include "podman/annotate/json_text.h"

namespace podshark::annotate {

/// {"podshark":1,"kind":…,"time":…}
[[nodiscard]] json record(const char* kind, std::int64_t time_ns);

/// Nanoseconds since 1970 from RFC 3339 as rfc3339() writes it; anything else is 0.
[[nodiscard]] std::int64_t time_from(const std::string& text);

}  // namespace podshark::annotate
