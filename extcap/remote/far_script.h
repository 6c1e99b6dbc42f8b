// SPDX-License-Identifier: GPL-2.0-or-later
// ssh(1) and what it is told to run on another machine. Pure, but for the environment.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "extcap/remote/far_host.h"
#include "extcap/remote/line.h"
#include "podman/core/result.h"

namespace podshark::extcap::remote {

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

/// What goes into its environment.
[[nodiscard]] std::vector<std::string> ssh_environment(Asking asking = Asking::nobody);

/// sh(1) script `script` on `host`, whatever the login shell is; for a connection of podman, on this machine.
/// Looks into the environment for SSH_ASKPASS.
[[nodiscard]] Line ssh_line(const FarHost& host, const std::string& script, Asking asking = Asking::nobody);

/// In the environment of a podshark that captures for another one of this machine, which has a connection of
/// its own to the same place, to ask for its time.
inline constexpr const char* kOneOfSeveral = "PODSHARK_ONE_OF_SEVERAL";

/// Script: `podshark WORDS…` under a lease (leased_group()), or exit code kNotThere and no marker.
[[nodiscard]] std::string podshark_script(const std::vector<std::string>& words);

[[nodiscard]] Error not_there(const FarHost& host);

/// There is a desktop, and a program for ssh's questions (SSH_ASKPASS, else ssh-askpass).
[[nodiscard]] bool can_ask();

/// sshd has as many beginners as it takes (MaxStartups) and hangs up on the others: one that is worth another
/// try, some_time() later.
[[nodiscard]] bool refused_for_now(const Error& error);
[[nodiscard]] std::chrono::milliseconds some_time();
inline constexpr unsigned kMostTries = 12;

/// What ssh's exit code 255 means, from its last words.
[[nodiscard]] Error ssh_error(const FarHost& host, const std::string& said);

}  // namespace podshark::extcap::remote
