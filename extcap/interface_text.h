// SPDX-License-Identifier: GPL-2.0-or-later
// What a file says about an interface of a container (docs/FORMAT.md). Pure.
#pragma once

#include <string>

#include "extcap/naming.h"

namespace podshark::extcap {

/// "inside" or "host".
[[nodiscard]] const char* to_string(Point point);

/// One word: `if_description` is split at blanks and '=', so that values hold neither.
[[nodiscard]] std::string word(const std::string& value, std::size_t max);

/// `if_description`: "container=web id=0123456789ab … point=inside rootless=yes".
[[nodiscard]] std::string interface_description(const Target& target, bool with_point = true);

}  // namespace podshark::extcap
