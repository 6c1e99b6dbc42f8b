// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "extcap/manual/table.h"

namespace podshark::extcap::manual {

/// Scripts that complete commands, options, their words, files, and running containers, which come from
/// podshark's list for Wireshark: it is the one that answers at once. `frame` is completion.SHELL here.
[[nodiscard]] std::string bash_completion(std::string frame, const std::vector<Table>& tables);
[[nodiscard]] std::string zsh_completion(std::string frame, const std::vector<Table>& tables);
[[nodiscard]] std::string fish_completion(std::string frame, const std::vector<Table>& tables);

}  // namespace podshark::extcap::manual
