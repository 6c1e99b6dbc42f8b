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

/// The script (line.h) of one step, whose container must still be the one that was selected: exit code
/// kTargetGone otherwise, and when its first process has ended.
[[nodiscard]] std::string step_script(const FarHost& host, const StreamPlan::Step& step,
                                      const Target& target);
inline constexpr int kTargetGone = 96;

}  // namespace podshark::extcap::remote
