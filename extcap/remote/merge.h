// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "extcap/capture/recorder.h"
#include "extcap/capture/session.h"
#include "extcap/remote/merge_host.h"

namespace podshark::extcap::remote {

struct MergeSummary {
  Summary sum;
  /// Of a machine whose capture never began, or of the last one when all were lost; else 0.
  int exit_code = 0;
};

/// One capture of several machines (or of one other) into one stream in order of time, until a limit, a
/// signal (of those that prepare_signals() blocks), the reader's end, or the last machine's. Of `options`
/// everything counts that is not about how packets are captured. Who is lost is told, and the others go on.
[[nodiscard]] Result<MergeSummary> run_merge(Recorder& recorder, std::vector<MergeSource> sources,
                                             const SessionOptions& options);

}  // namespace podshark::extcap::remote
