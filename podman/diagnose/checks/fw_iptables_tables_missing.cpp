// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace fw_iptables_tables_missing {

void check(const Facts& facts, Findings& out) {
  each_not_started(facts, [&](const ContainerFacts& c) {
    const std::string error =
        start_error(c, {"can't initialize iptables table", "can't initialize ip6tables table"});
    if (error.empty()) return;
    Finding f = finding(kFwIptablesTablesMissing.id, Severity::error, c.subject(),
                        "it did not start: a table of iptables is missing in the kernel");
    f.evidence = {"podman: " + error};
    f.fix = {
        "sudo modprobe -a ip_tables iptable_nat iptable_filter ip6_tables ip6table_nat   # and a file in "
        "/etc/modules-load.d",
        "use one variant: update-alternatives --display iptables"};
    out.push_back(std::move(f));
  });
}

}  // namespace fw_iptables_tables_missing

const Check kFwIptablesTablesMissing{
    "fw.iptables-tables-missing", "iptables' tables are not in the kernel",
    "The start fails with \"can't initialize iptables table\": the modules are not loaded, and a rootless "
    "user can not "
    "load them; or the legacy and nft variants are mixed. Proof: /proc/net/ip_tables_names.",
    fw_iptables_tables_missing::check};

}  // namespace podshark::diagnose
