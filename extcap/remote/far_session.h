// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "extcap/capture/output.h"
#include "extcap/capture/recorder.h"
#include "extcap/capture/session.h"
#include "extcap/capture/stream_plan.h"
#include "extcap/remote/far_host.h"
#include "extcap/remote/far_source.h"
#include "podman/core/result.h"

namespace podshark::extcap::remote {

/// One stream of a target that is captured somewhere else.
struct FarStream {
  Target target;
  std::unique_ptr<StreamWays> ways;
  std::string why_not;  ///< what is not even tried, and why
  FarSource::MakeLine line;
};
struct FarPlace {
  model::Inventory inventory;
  std::int64_t shift_ns = 0;                     ///< its clock is ahead of ours by about this
  std::function<void(const std::string&)> line;  ///< what people are told, the ways that were taken among it
};
/// Captures all of them into `recorder`, from the inventory on. Ends as run_session() does; signals must have
/// been prepared (prepare_signals()).
[[nodiscard]] Result<Summary> capture_streams(std::vector<FarStream> streams, const FarPlace& place,
                                              Recorder& recorder, const SessionOptions& options);

/// Captures containers of a machine without podshark, by the best of the ways that it leaves (far_ways.h),
/// into the same pcapng as a capture here, with less in it: docs/REMOTE.md. Ends as run_session() does;
/// signals must have been prepared (prepare_signals()). `line`: what people are told, the way that was taken
/// among it.
[[nodiscard]] Result<Summary> capture_without(const FarHost& host, const std::vector<std::string>& names,
                                              Output output, const SessionOptions& options,
                                              const std::function<void(const std::string&)>& line);

}  // namespace podshark::extcap::remote
