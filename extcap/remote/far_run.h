// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "extcap/capture/output.h"
#include "extcap/remote/far_host.h"

namespace podshark::extcap::remote {

/// Takes "--host H" or "--host=H" out of a command's words; nothing when there is none.
[[nodiscard]] Result<std::optional<FarHost>> take_host(std::vector<std::string>& words);

/// The same of a probe's source on another machine, "--from ssh://H/CONTAINER": "--from CONTAINER" stays.
[[nodiscard]] Result<std::optional<FarHost>> take_source(std::vector<std::string>& words);

/// Takes "-o FILE" (or "--output") of `podshark inventory` out of its words: the file is here. Empty: there
/// is none, or it is "-".
[[nodiscard]] std::string take_output(std::vector<std::string>& words);

/// SIGINT, SIGTERM or SIGHUP has come, and is blocked.
[[nodiscard]] bool told_to_stop();

/// Runs `podshark WORDS…` there. Its output goes to `out`, its words to `err` with the host's name in front;
/// its exit code is the result, or that of why there was none, which is told in one line; kNotThere, and
/// nothing told: there is no podshark.
[[nodiscard]] int run_there(const FarHost& host, const std::vector<std::string>& words, std::ostream& out,
                            std::ostream& err);

/// The same with its output as the result, which must come within `limit`; nothing where podshark is not
/// installed. An exit code other than 0 is an error with its last words.
[[nodiscard]] Result<std::optional<std::string>> output_there(const FarHost& host,
                                                              const std::vector<std::string>& words,
                                                              std::chrono::milliseconds limit);

/// The same of any script (line.h).
[[nodiscard]] Result<std::string> script_output(const FarHost& host, const std::string& script,
                                                std::chrono::milliseconds limit);

/// A capture there, into `output` here, until it ends, is told to (SIGINT, SIGTERM, SIGHUP, which the caller
/// has blocked), or the reader goes. What has come is written whole blocks by whole blocks, also when the
/// link is lost. kNotThere: there is no podshark, and `output` is as it was. `line`: what podshark there
/// says.
[[nodiscard]] Result<int> capture_there(const FarHost& host, const std::vector<std::string>& words,
                                        Output& output, const std::function<void(const std::string&)>& line);

}  // namespace podshark::extcap::remote
