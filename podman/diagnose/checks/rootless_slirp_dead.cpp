// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace rootless_slirp_dead {

void check(const Facts& facts, Findings& out) {
  each_running(facts, [&](const ContainerFacts& c) {
    if (c.container->kind != model::NetworkKind::slirp4netns || shares(facts, c) || !c.net.visible) return;
    if (c.net.link("tap0") != nullptr) return;
    Finding f =
        finding(kSlirpDead.id, Severity::error, c.subject(),
                "slirp4netns, which carries its packets, is gone: no outbound connections, published ports "
                "close at once");
    f.evidence = {"its network namespace has no tap0, which vanishes with slirp4netns"};
    f.fix = {restart(facts, c), "if it died at a logout: loginctl enable-linger"};
    out.push_back(std::move(f));
  });
}

}  // namespace rootless_slirp_dead

const Check kSlirpDead{
    "rootless.slirp-dead", "slirp4netns is dead",
    "Connections to published ports are accepted by rootlessport and closed at once; nothing goes out. "
    "slirp4netns was "
    "killed, or died with the user's session where lingering is off. Proof: no tap0 in the namespace.",
    rootless_slirp_dead::check};

}  // namespace podshark::diagnose
