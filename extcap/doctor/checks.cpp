// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/doctor/checks.h"

#include <array>
#include <iterator>

namespace podshark::extcap::doctor {

std::span<const Check> all_checks() {
  static constexpr std::array<Check, 16> kChecks = {
      check_wireshark,       check_sandboxed,        check_extcap,  check_plugin,
      check_dumpcap,         check_worker,           check_rootful, check_drops,
      check_podman,          check_sockets,          check_storage, check_user_namespaces,
      check_subordinate_ids, check_rootless_network, check_kernel,  check_limits,
  };
  return kChecks;
}

Findings examine(const Scene& scene) {
  Findings all;
  for (const Check check : all_checks()) {
    Findings some = check(scene);
    all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
  }
  return all;
}

}  // namespace podshark::extcap::doctor
