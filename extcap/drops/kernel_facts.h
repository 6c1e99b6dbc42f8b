// SPDX-License-Identifier: GPL-2.0-or-later
// What the running kernel says about itself in its type information (BTF).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "extcap/drops/protocol.h"

namespace podshark::drops {

struct KernelFacts {
  int error = 0;  ///< errno: nothing else is set then
  std::vector<ReasonName> reasons;
  /// Offsets in bytes, all 0 where the kernel has no conntrack loaded.
  std::uint32_t conntrack_tuples = 0;
  std::uint32_t conntrack_stride = 0;
  std::uint32_t conntrack_tuple = 0;
  std::uint32_t conntrack_status = 0;

  /// The number of a reason, 0 when this kernel has none of that name.
  [[nodiscard]] std::uint32_t reason(const char* name) const;
};

/// Needs no privilege: the files of /sys/kernel/btf are for everybody.
[[nodiscard]] KernelFacts read_kernel_facts();

}  // namespace podshark::drops
