// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace port_mode_ignores {

const char* why(const model::Container& c) {
  switch (c.kind) {
    case model::NetworkKind::host:
      return "it uses the host's network: its program's own ports are the host's";
    case model::NetworkKind::none:
      return "it has no network";
    case model::NetworkKind::ns_path:
      return "its network namespace was made by somebody else, who would have to forward ports";
    case model::NetworkKind::shared:
      return c.pod_id.empty() ? "it uses another container's network, which alone can publish ports"
                              : nullptr;
    default:
      return nullptr;
  }
}

void check(const Facts& facts, Findings& out) {
  each_running(facts, [&](const ContainerFacts& c) {
    const char* reason = why(*c.container);
    if (reason == nullptr || !c.container->asks_ports) return;
    Finding f = finding(kPortModeIgnores.id, is_target(facts, c) ? Severity::warning : Severity::info,
                        c.subject(), "it was created with -p, which has no effect in its network mode");
    f.evidence = {std::string("network mode ") + model::to_string(c.container->kind) + ": " + reason};
    f.fix = {"leave out -p, or create it with a bridge network: --network NAME"};
    out.push_back(std::move(f));
  });
}

}  // namespace port_mode_ignores

const Check kPortModeIgnores{"port.mode-ignores", "the network mode ignores -p",
                             "By design: with --network host, none, ns: or container: published ports are "
                             "discarded; podman warns at creation. "
                             "Proof: the mode, and `Ports` is empty although the creating command had -p.",
                             port_mode_ignores::check};

}  // namespace podshark::diagnose
