// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace fw_iptables_tables_missing {

void check(const Facts& facts, Findings& out) {
  Finding f = finding(kFwIptablesTablesMissing.id, Severity::error, {},
                      "it did not start: a table of iptables is missing in the kernel");
  f.fix = {
      "sudo modprobe -a ip_tables iptable_nat iptable_filter ip6_tables ip6table_nat   # and a file in "
      "/etc/modules-load.d",
      "use one variant: update-alternatives --display iptables"};
  judge_start_error(facts, {"can't initialize iptables table", "can't initialize ip6tables table"}, f, out);
}

}  // namespace fw_iptables_tables_missing

const Check kFwIptablesTablesMissing{
    "fw.iptables-tables-missing", "iptables' tables are not in the kernel",
    "The start fails with \"can't initialize iptables table\": the modules are not loaded, and a rootless "
    "user cannot "
    "load them; or the legacy and nft variants are mixed. Proof: /proc/net/ip_tables_names.",
    fw_iptables_tables_missing::check};

}  // namespace podshark::diagnose
