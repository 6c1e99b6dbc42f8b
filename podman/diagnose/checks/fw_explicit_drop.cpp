// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/certainty.h"
#include "podman/diagnose/checks/checks.h"

namespace podshark::diagnose {

namespace fw_explicit_drop {

bool ours(const Facts& facts, const ContainerFacts& c, const Attempt& a) {
  const Blocker by = blocker(a);
  const bool early = a.way == Way::arriving || a.way == Way::from_host;
  if ((!early && by != Blocker::specific_rule) || firewalld_matter(facts, c, a)) return false;
  return by != Blocker::isolation && by != Blocker::netavark;
}

void check(const Facts& facts, Findings& out) {
  each_bridged(facts, [&](const ContainerFacts& c) {
    const std::vector<Attempt> all = attempts(facts, c);
    const Attempt* a = surest(all, [&](const Attempt& one) { return ours(facts, c, one); });
    if (a == nullptr) return;
    Finding f = finding(kFwExplicitDrop.id, Severity::error, c.subject(),
                        "a firewall rule drops or rejects exactly these packets");
    f.evidence = {blocker_text(*a)};
    if (a->way == Way::arriving)
      f.evidence.push_back("it comes before DNAT, so it names the host's port, not the container's");
    const std::string command = unblock(facts, *a);
    f.fix = {command.empty() ? "change the policy of that chain, or accept these packets earlier in it"
                             : command + "   # or an accept before it"};
    if (by_firewalld(facts, *a)) f.fix = foreign_fix(facts, c, *a);
    weigh(*a, f);
    out.push_back(std::move(f));
  });
}

}  // namespace fw_explicit_drop

const Check kFwExplicitDrop{
    "fw.explicit-drop", "a rule drops this port or subnet",
    "One port or subnet times out (or is refused) from outside, the rest works. A drop rule names the host's "
    "port, "
    "before DNAT, or the container's, after it. Proof: the rule's counter rises, or `podshark trace`.",
    fw_explicit_drop::check};

}  // namespace podshark::diagnose
