// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace podshark::extcap {

/// How this podshark came to this machine, as far as that decides what mends it.
struct Installation {
  enum class By { setup, debian, other_packages };
  By by = By::setup;
  std::string again = "sudo install/setup.sh";  ///< brings back files that are missing
};

/// Of the program at `path`: below /usr, but not /usr/local, there are packages. `root` is put before /usr.
[[nodiscard]] Installation installation_of(const std::string& path, const std::string& root = {});
/// Of the running program.
[[nodiscard]] Installation this_installation();

/// What lets an ordinary user run the installed helpers.
[[nodiscard]] std::string join_group_hint(const Installation& installation);

}  // namespace podshark::extcap
