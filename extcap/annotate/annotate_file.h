// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "extcap/annotate/annotator.h"
#include "podman/core/result.h"

namespace podshark::extcap {

struct AnnotateRequest {
  std::string input;   ///< a file, or "-"
  std::string output;  ///< a file, a fifo or "-"; not touched before `input` proved to be a capture
  const model::Inventory& inventory;
  const Target* inside = nullptr;
  bool redact = false;
};

struct Annotated {
  AnnotateCounts counts;
  std::optional<Error> ended;  ///< why the input was not read to its end; the output is valid all the same
};

/// Reads, annotates, writes; a block at a time.
[[nodiscard]] Result<Annotated> annotate_file(const AnnotateRequest& request);

}  // namespace podshark::extcap
