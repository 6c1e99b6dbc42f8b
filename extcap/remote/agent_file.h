// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "podman/core/result.h"

namespace podshark::extcap::remote {

/// Where the files of podshark-agent are, installed or in a build tree; empty when there are none.
[[nodiscard]] std::string agents_directory();

/// podshark-agent, gzipped, for machines where `uname -m` prints `machine`. ErrorKind::not_found when there
/// is none for these.
[[nodiscard]] Result<std::string> agent_file(const std::string& machine,
                                             const std::string& directory = agents_directory());

/// The path of that file. `machine` must be one that agent_file() knows.
[[nodiscard]] std::string agent_path(const std::string& machine,
                                     const std::string& directory = agents_directory());

}  // namespace podshark::extcap::remote
