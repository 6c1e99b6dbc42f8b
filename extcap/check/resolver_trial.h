// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "podman/core/fd.h"
#include "podman/diagnose/facts.h"

namespace podshark::extcap::check {

/// Asks each of the host's name servers for those of the root (RFC 1035 §4): any well-formed answer is one, a
/// refusal too, since then somebody is there. The questions are sent at construction, so that answers come
/// while other things are looked at.
class ResolverTrials {
 public:
  ResolverTrials() = default;
  ResolverTrials(const std::vector<IpAddress>& servers, std::chrono::milliseconds limit);

  /// What came until `limit` after the construction. Waits for nothing more once one server has answered,
  /// which is all that a container needs.
  [[nodiscard]] std::vector<diagnose::ResolverTrial> finish();

 private:
  struct Trial {
    UniqueFd fd;
    diagnose::ResolverTrial result;
    bool done = false;
  };
  static void take(Trial& trial);
  [[nodiscard]] bool settled() const;
  std::vector<Trial> trials_;
  std::chrono::steady_clock::time_point end_;
};

}  // namespace podshark::extcap::check
