// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/worker/privilege.h"

#include <linux/capability.h>
#include <sys/prctl.h>
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

// False also where the kernel can not say: then the capability counts as borrowed.
bool is_ambient(unsigned capability) {
  return ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) == 1;
}

}  // namespace

// Ambient capabilities are the user's own: systemd gives CAP_WAKE_ALARM to whoever sits at a desktop. A
// program with file capabilities starts with none (capabilities(7)), so nobody passes what a file gave off as
// his own.
bool has_borrowed_privilege() {
  Sets sets;
  if (::getuid() == 0 || !sets.read()) return false;
  for (unsigned capability = 0; capability < 64; ++capability) {
    const bool permitted = (sets.words[capability / 32].permitted >> (capability % 32) & 1U) != 0;
    if (permitted && !is_ambient(capability)) return true;
  }
  return false;
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
