// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace rootless_slirp_host_loopback {

void check(const Facts& facts, Findings& out) {
  const ContainerFacts* source = source_of(facts);
  if (source == nullptr || !facts.question.address || facts.question.address->text() != "10.0.2.2") return;
  if (source->container->kind != model::NetworkKind::slirp4netns) return;
  for (const Helper& h : source->helpers) {
    const bool open = std::find(h.argv.begin(), h.argv.end(), "--disable-host-loopback") == h.argv.end();
    if (h.kind == Helper::Kind::slirp4netns && open) return;
  }
  Finding f = finding(kSlirpHostLoopback.id, Severity::warning, source->subject(),
                      "10.0.2.2, slirp4netns' name for the host's loopback, is switched off");
  f.evidence = {"podman starts slirp4netns with --disable-host-loopback unless told otherwise"};
  f.fix = {"--network slirp4netns:allow_host_loopback=true",
           "or use the host's outer address, or host.containers.internal"};
  out.push_back(std::move(f));
}

}  // namespace rootless_slirp_host_loopback

const Check kSlirpHostLoopback{"rootless.slirp-host-loopback", "10.0.2.2 from a slirp4netns container",
                               "By design: 10.0.2.2 answers ENETUNREACH, the host's outer address works. "
                               "Proof: --disable-host-loopback on "
                               "slirp4netns' command line.",
                               rootless_slirp_host_loopback::check};

}  // namespace podshark::diagnose
