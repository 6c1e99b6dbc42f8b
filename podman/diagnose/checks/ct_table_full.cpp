// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace ct_table_full {

void check(const Facts& facts, Findings& out) {
  if (facts.conntrack_max == 0 || facts.conntrack_count * 100 < facts.conntrack_max * 95) return;
  Finding f = finding(kCtTableFull.id, Severity::error, "the host",
                      "the connection tracking table is full: new connections fail at random");
  f.evidence = {"nf_conntrack_count " + std::to_string(facts.conntrack_count) + " of nf_conntrack_max " +
                std::to_string(facts.conntrack_max)};
  f.fix = {
      sudo(facts) + "sysctl -w net.netfilter.nf_conntrack_max=" + std::to_string(facts.conntrack_max * 2),
      "and look for what opens so many: conntrack -L | awk '{print $5}' | sort | uniq -c | sort -n | tail"};
  out.push_back(std::move(f));
}

}  // namespace ct_table_full

const Check kCtTableFull{"ct.table-full", "the connection tracking table is full",
                         "New connections fail at random under load, old ones go on; the kernel's log says "
                         "'nf_conntrack: table full, "
                         "dropping packet'. Proof: nf_conntrack_count has reached nf_conntrack_max.",
                         ct_table_full::check};

}  // namespace podshark::diagnose
