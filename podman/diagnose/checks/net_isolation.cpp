// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/ways.h"

namespace podshark::diagnose {

namespace net_isolation {

std::string isolated_network(const Facts& facts, const ContainerFacts& c) {
  for (const Leg& leg : legs(facts, c)) {
    if (leg.network != nullptr && !leg.network->isolate.empty())
      return leg.network->name + " has isolate=" + leg.network->isolate;
  }
  return {};
}

bool strict(const std::string& option) {
  return option.ends_with("=strict");
}

void judge_question(const Facts& facts, const ContainerFacts& source, const ContainerFacts& target,
                    Findings& out) {
  for (const Attempt& a : attempts(facts, target)) {
    if (!a.blocked() || blocker(a) != Blocker::isolation) continue;
    Finding f = finding(kNetIsolation.id, Severity::error, source.subject(),
                        "its network and that of " + target.subject() + " are isolated from each other");
    f.evidence = {blocker_text(a)};
    for (const ContainerFacts* c : {&source, &target}) {
      const std::string option = isolated_network(facts, *c);
      if (!option.empty()) f.evidence.push_back("network " + option);
    }
    f.fix = {podman(facts, source) +
                 " network create NAME, and --network NAME for both (a container may be on several)",
             "or create the networks again with --opt isolate=false"};
    out.push_back(std::move(f));
    return;
  }
}

void check(const Facts& facts, Findings& out) {
  const ContainerFacts* source = source_of(facts);
  const ContainerFacts* target = target_of(facts);
  if (source != nullptr && target != nullptr && source != target) {
    if (source->bridged() && target->bridged()) judge_question(facts, *source, *target, out);
    return;
  }
  each_bridged(facts, [&](const ContainerFacts& c) {
    const std::string option = isolated_network(facts, c);
    if (option.empty() || is_target(facts, c)) return;
    Finding f = finding(
        kNetIsolation.id, Severity::info, c.subject(),
        strict(option) ? "its network is isolated: containers of other networks cannot reach it, nor it them"
                       : "its network is isolated: it and containers of other isolated networks cannot reach "
                         "each other, those of plain networks can");
    f.evidence = {"network " + option};
    out.push_back(std::move(f));
  });
}

}  // namespace net_isolation

const Check kNetIsolation{"net.isolation", "networks are isolated from each other",
                          "Containers on different networks time out towards each other, through the host's "
                          "port too. isolate=true keeps two "
                          "such networks apart, strict one from every other bridge (the default from "
                          "netavark 2.0). Proof: the option of "
                          "`podman network inspect`, and a jump to the isolation chains for this bridge.",
                          net_isolation::check};

}  // namespace podshark::diagnose
