// SPDX-License-Identifier: GPL-2.0-or-later
// How packets are had from a machine without podshark, from what it has. Pure.
#pragma once

#include <string>

#include "extcap/capture/session.h"
#include "extcap/capture/stream_plan.h"
#include "extcap/remote/survey.h"

namespace podshark::extcap::remote {

/// The small program for such machines, packed, or why there is none for this one.
struct AgentFile {
  std::string gzip;
  std::string missing;
  std::string path = {};  ///< of the file with `gzip`
};

/// What StreamPlan needs to know for one link ("any": all) of a target there; ErrorKind::permission,
/// ::unsupported when no way is left. `why_not`: the ways that are not tried, and why.
[[nodiscard]] Result<StreamRequest> far_request(const FarHost& host, const FarFacts& facts,
                                                const Target& target, const SessionOptions& options,
                                                const std::string& link, const AgentFile& agent,
                                                std::string* why_not);

/// Options that need podshark there (a wait, a start, host side, drops on demand…): ErrorKind::unsupported
/// names the first of them.
[[nodiscard]] Status only_with_podshark(const FarHost& host, const SessionOptions& options);

/// podshark-agent's words for a capture of `target`: a process id, or "self". ErrorKind::bad_filter.
[[nodiscard]] Result<Argv> agent_words(const StreamSpec& spec, const std::string& target);
/// A command that runs it with these words from a file without a name; the first line of stdin is the packed
/// program in base64, what follows is the program's own stdin.
[[nodiscard]] Argv agent_from_stdin(const Argv& words);

/// The script (line.h) of one step, whose container must still be the one that was selected: exit code
/// kTargetGone otherwise, and when its first process has ended.
[[nodiscard]] std::string step_script(const FarHost& host, const StreamPlan::Step& step,
                                      const Target& target);
inline constexpr int kTargetGone = 96;

}  // namespace podshark::extcap::remote
