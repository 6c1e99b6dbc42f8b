// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace lsm_denied {

void check(const Facts& facts, Findings& out) {
  if (facts.security_log.empty()) return;
  Finding f = finding(kLsmDenied.id, Severity::warning, "the host",
                      "a security module has denied something to podman's network programs");
  f.certainty = 60;
  for (const std::string& line : facts.security_log) f.evidence.push_back(line);
  f.fix = {
      "install the distribution's policy package (container-selinux, passt-selinux, AppArmor profiles of "
      "passt and netavark)"};
  out.push_back(std::move(f));
}

}  // namespace lsm_denied

const Check kLsmDenied{"lsm.denied", "SELinux or AppArmor denied something",
                       "pasta, netavark or the access to a namespace is refused at the start of a container. "
                       "Proof: AVC or AppArmor "
                       "records in the audit log that name pasta, passt, netavark or aardvark-dns.",
                       lsm_denied::check};

}  // namespace podshark::diagnose
