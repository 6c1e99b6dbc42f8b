// SPDX-License-Identifier: GPL-2.0-or-later
// A flow in words. Pure.
#pragma once

#include <string>
#include <vector>

#include "plugin/event_log.h"
#include "plugin/flow_question.h"

namespace podshark::plugin {

struct Explanation {
  std::string text;  ///< whole lines
  std::vector<Action> actions;
};

/// Whom the event log is to be asked about.
[[nodiscard]] FlowSought sought(const SelectedPacket& packet);

/// Who is at both ends, which way it goes, and what the file tells of it. The packet has IP addresses.
[[nodiscard]] Explanation explain(const SelectedPacket& packet, const std::vector<Told>& told);

}  // namespace podshark::plugin
