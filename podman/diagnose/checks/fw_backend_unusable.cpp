// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace fw_backend_unusable {

const std::vector<std::string> kWords{
    "nftables error", "invalid version number", "nft did not return successfully",
    "nftables: ",     "unable to run iptables", "no such file or directory (os error 2): nft"};

void check(const Facts& facts, Findings& out) {
  Finding f = finding(kFwBackendUnusable.id, Severity::error, {},
                      "it did not start: netavark could not write firewall rules");
  f.fix = {sudo(facts) + "nft list ruleset   # what the tool itself says",
           "install nftables (or iptables) and load the kernel's modules nf_tables, nft_fib_inet, "
           "nft_masq, nft_nat",
           "or, before netavark 2: firewall_driver = \"iptables\" in section [network] of containers.conf"};
  judge_start_error(facts, kWords, f, out);
}

}  // namespace fw_backend_unusable

const Check kFwBackendUnusable{
    "fw.backend-unusable", "netavark cannot use the firewall",
    "Containers do not start: the kernel lacks what netavark's rules need (WSL, own kernels), the nft or "
    "iptables "
    "program is missing or fails. Proof: the start error, and the same tool called by hand.",
    fw_backend_unusable::check};

}  // namespace podshark::diagnose
