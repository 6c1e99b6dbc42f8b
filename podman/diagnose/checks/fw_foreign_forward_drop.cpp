// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/certainty.h"
#include "podman/diagnose/checks/checks.h"

namespace podshark::diagnose {

namespace fw_foreign_forward_drop {

bool ours(const Facts& facts, const Attempt& a) {
  const Blocker by = blocker(a);
  if (by != Blocker::policy && by != Blocker::general_rule) return false;
  if (a.way == Way::inward && by == Blocker::policy && by_iptables_driver(facts, a)) return false;
  return a.way == Way::inward || a.way == Way::outward || a.way == Way::inward_reply ||
         a.way == Way::outward_reply || a.way == Way::across;
}

void check(const Facts& facts, Findings& out) {
  each_bridged(facts, [&](const ContainerFacts& c) {
    Finding f =
        finding(kFwForeignForwardDrop.id, Severity::error, c.subject(),
                "another firewall on this host drops forwarded packets: what podman's own rules accept does "
                "not override it");
    const auto mine = [&](const Attempt& a) {
      return a.blocked() && ours(facts, a) && !firewalld_matter(facts, c, a);
    };
    const std::vector<Attempt> all = attempts(facts, c);
    const Attempt* first = surest(all, mine);
    if (first == nullptr) return;
    // Where one way is surely blocked, those that may be are no evidence.
    for (const Attempt& a : all) {
      if (mine(a) && surely_blocked(a) == surely_blocked(*first)) f.evidence.push_back(blocker_text(a));
    }
    f.fix = foreign_fix(facts, c, *first);
    weigh(*first, f);
    out.push_back(std::move(f));
  });
}

}  // namespace fw_foreign_forward_drop

const Check kFwForeignForwardDrop{"fw.foreign-forward-drop", "another firewall drops forwarded packets",
                                  "Clients outside and outbound connections time out; host and container "
                                  "reach each other. Another base chain on the "
                                  "forward hook (ufw, firewalld, Docker, nftables.conf) has policy drop or a "
                                  "drop rule: an accept in netavark's table "
                                  "does not end the other tables. Allow both directions there. Proof: "
                                  "`podshark trace`, or the rule's counter.",
                                  fw_foreign_forward_drop::check};

}  // namespace podshark::diagnose
