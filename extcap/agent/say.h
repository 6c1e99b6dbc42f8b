// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "extcap/agent/line.h"

namespace podshark::agent {

/// "podshark-agent: WHAT: WHY" on stderr; `why` may be null.
void say(const Line& what, const char* why);
void say(const char* what, const char* why);

}  // namespace podshark::agent
