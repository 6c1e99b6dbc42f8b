// SPDX-License-Identifier: GPL-2.0-or-later
#include <cstdlib>

#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace upgrade_podman6 {

void check(const Facts& facts, Findings& out) {
  const bool six = facts.podman_version.size() > 1 && std::atoi(facts.podman_version.c_str()) >= 6;
  for (const ContainerFacts& c : facts.containers) {
    if (c.container->alive() || !in_scope(facts, c)) continue;
    const std::string error =
        start_error(c, {"slirp4netns support has been removed", "podman system migrate", "CNI"});
    const bool old_mode = six && c.container->mode.starts_with("slirp4netns");
    if (error.empty() && !old_mode) continue;
    Finding f = finding(kUpgradePodman6.id, Severity::error, c.subject(),
                        "it was made by an older podman, and this one cannot start it as it is");
    f.evidence = {error.empty() ? "network mode slirp4netns, which podman 6 does not have"
                                : "podman: " + error};
    f.fix = {podman(facts, c) + " system migrate"};
    out.push_back(std::move(f));
  }
}

}  // namespace upgrade_podman6

const Check kUpgradePodman6{"upgrade.podman6", "a container from before podman 6",
                            "Old containers do not start: 'slirp4netns support has been removed, run podman "
                            "system migrate'; CNI and BoltDB "
                            "likewise.",
                            upgrade_podman6::check};

}  // namespace podshark::diagnose
