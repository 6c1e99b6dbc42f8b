// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "extcap/remote/far_host.h"

namespace podshark::extcap::remote {

/// What of `podshark WORDS…` a machine without podshark can answer: list, inventory and check, from what
/// podman there says. Anything else is ErrorKind::unsupported, told in one line. The exit code.
[[nodiscard]] int run_without(const FarHost& host, const std::vector<std::string>& words, std::ostream& out,
                              std::ostream& err);

}  // namespace podshark::extcap::remote
