// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/worker/privilege.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace podshark::worker {
namespace {

// Raw capset(2): two 32-bit words per set, and no library in the privileged program.
struct Sets {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct words[2] = {};
  bool read() { return ::syscall(SYS_capget, &header, words) == 0; }
  void write() { (void)::syscall(SYS_capset, &header, words); }
};

void add(Sets& sets, int capability) {
  if (capability < 0) return;
  const auto bit = static_cast<unsigned>(capability);
  const std::uint32_t mask = 1U << (bit % 32);
  auto& word = sets.words[bit / 32];
  word.effective |= word.permitted & mask;
}

}  // namespace

bool has_borrowed_privilege() {
  Sets sets;
  return ::getuid() != 0 && sets.read() && (sets.words[0].permitted | sets.words[1].permitted) != 0;
}

void raise_only(int capability, int second) {
  Sets sets;
  if (!sets.read()) return;
  for (auto& word : sets.words) word.effective = 0;
  add(sets, capability);
  add(sets, second);
  sets.write();
}

void keep_only(int capability) {
  Sets sets;
  if (!sets.read()) return;
  for (auto& word : sets.words) word.effective = 0;
  add(sets, capability);
  for (auto& word : sets.words) {
    word.permitted = word.effective;
    word.inheritable = 0;
  }
  sets.write();
}

void drop_all() {
  Sets sets;
  sets.write();
}

}  // namespace podshark::worker
