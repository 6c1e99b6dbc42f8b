// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/certainty.h"
#include "podman/diagnose/checks/checks.h"

namespace podshark::diagnose {

namespace fw_forward_policy_drop {

void check(const Facts& facts, Findings& out) {
  each_bridged(facts, [&](const ContainerFacts& c) {
    const std::vector<Attempt> all = attempts(facts, c);
    const Attempt* a = surest(all, [&](const Attempt& one) {
      return one.way == Way::inward && blocker(one) == Blocker::policy && by_iptables_driver(facts, one);
    });
    if (a == nullptr) return;
    Finding f =
        finding(kFwForwardPolicyDrop.id, Severity::error, c.subject(),
                "clients outside cannot reach it: iptables' FORWARD chain drops what no rule accepts, and "
                "nothing accepts new connections to it");
    f.evidence = {blocker_text(*a)};
    f.fix = {sudo(facts) + "iptables -I FORWARD -d " + judged_subnet(facts, c) + " -j ACCEPT",
             "beside Docker put it into DOCKER-USER; beside ufw set DEFAULT_FORWARD_POLICY=\"ACCEPT\" in "
             "/etc/default/ufw"};
    weigh(*a, f);
    out.push_back(std::move(f));
  });
}

}  // namespace fw_forward_policy_drop

const Check kFwForwardPolicyDrop{"fw.forward-policy-drop", "the FORWARD policy drops inbound connections",
                                 "Clients outside time out; localhost, the host and outbound connections "
                                 "work. Docker, ufw or hardening set the "
                                 "policy of iptables' FORWARD chain to DROP, and netavark's iptables rules "
                                 "accept established and outbound packets "
                                 "only. Proof: the policy's packet counter rises with every attempt.",
                                 fw_forward_policy_drop::check};

}  // namespace podshark::diagnose
