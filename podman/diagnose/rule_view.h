// SPDX-License-Identifier: GPL-2.0-or-later
// What the rules do to a container's traffic, in a form that can be compared with what they did before.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "podman/diagnose/facts.h"

namespace podshark::diagnose {

/// What becomes of one way (ways.h): its translation and its verdict.
struct WayView {
  std::string translation;  ///< "DNAT to 10.88.0.2:80", "masquerade"; empty: none
  std::string blocked_by;   ///< "drop by table …"; empty: it passes
  bool operator==(const WayView&) const = default;
};

/// One run of one container (its pid tells runs apart). `ways` by what they are, in words.
struct RuleView {
  std::string id, name;
  std::map<std::string, WayView> ways;
};
using RuleViews = std::map<pid_t, RuleView>;

/// Of every running container on a bridge whose rules can be seen.
[[nodiscard]] RuleViews rule_views(const Facts& facts);

struct RuleChange {
  std::string container_id, container;
  std::string what;    ///< "blocked", "unblocked", "translation-vanished", "…-appeared", "…-changed"
  std::string detail;  ///< one sentence without a full stop
  bool worse = false;
};

/// Of containers that run in both and are the same: what starts or stops is no change of rules. In order of
/// containers.
[[nodiscard]] std::vector<RuleChange> changes(const RuleViews& before, const RuleViews& after);

}  // namespace podshark::diagnose
