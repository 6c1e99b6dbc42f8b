// SPDX-License-Identifier: GPL-2.0-or-later
// What is sent to another machine to be run there. Pure.
#pragma once

#include <string>
#include <vector>

#include "extcap/remote/far_host.h"
#include "podman/core/result.h"

namespace podshark::extcap::remote {

/// Its first line of output that is ours; what comes before is from login scripts.
inline constexpr const char* kMarker = "podshark-begins";
/// Exit code when there is no podshark.
inline constexpr int kNotThere = 127;

/// Whether ssh may ask for a passphrase, a password, or about a host key.
enum class Asking {
  nobody,
  by_program,  ///< by SSH_ASKPASS, in a window of its own
};
/// ssh(1) that checks host keys as its user wants it, running `command` there.
[[nodiscard]] std::vector<std::string> ssh_command(const FarHost& host, const std::string& command,
                                                   Asking asking = Asking::nobody);

/// The same for `host`, running `podshark WORDS…` there. Its stdin is a lease: one byte every other second
/// keeps it alive; without one for six seconds, or at the end of file, the far side ends itself and all it
/// started.
[[nodiscard]] std::vector<std::string> far_command(const FarHost& host, const std::vector<std::string>& words,
                                                   Asking asking = Asking::nobody);

/// What ssh's exit code 255 means, from its last words.
[[nodiscard]] Error ssh_error(const FarHost& host, const std::string& said);

/// For sh(1): one word, whatever is in it.
[[nodiscard]] std::string shell_word(const std::string& text);

}  // namespace podshark::extcap::remote
