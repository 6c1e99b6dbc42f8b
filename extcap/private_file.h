// SPDX-License-Identifier: GPL-2.0-or-later
// Small files of the user's own: caches, saved hosts, inventories.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "podman/core/result.h"

namespace podshark::extcap {

/// The file has this content as a whole or is as it was; mode 0600. ErrorKind::output.
[[nodiscard]] Status replace_file(const std::string& path, std::string_view text);

struct PrivateFile {
  std::string text;
  std::chrono::milliseconds age;  ///< since it was written; max() when that is in the future
};
/// Nothing when there is none, or it is no plain file of the caller's, or larger.
[[nodiscard]] std::optional<PrivateFile> read_private_file(const std::string& path, std::size_t max_bytes);

}  // namespace podshark::extcap
