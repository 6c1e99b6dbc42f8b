// SPDX-License-Identifier: GPL-2.0-or-later
// Whose capabilities a process has, in a child that has all of them in a user namespace of its own.
#include "extcap/worker/privilege.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <string>

namespace podshark::worker {
namespace {

enum Answer : int { kOwn, kBorrowed, kNoNamespace };

bool write_to(const char* path, const std::string& text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  const bool done = fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return done;
}

// Somebody who is not root, with these permitted and these ambient capabilities.
Answer judge(std::uint64_t permitted, std::uint64_t ambient) {
  const std::string user = "1000 " + std::to_string(::getuid()) + " 1";
  if (::unshare(CLONE_NEWUSER) != 0 || !write_to("/proc/self/uid_map", user)) return kNoNamespace;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  for (const unsigned word : {0U, 1U}) {
    sets[word].permitted = static_cast<std::uint32_t>(permitted >> (32 * word));
    sets[word].inheritable = static_cast<std::uint32_t>(ambient >> (32 * word));
  }
  if (::syscall(SYS_capset, &header, sets) != 0) return kNoNamespace;
  for (unsigned c = 0; c < 64; ++c) {
    if ((ambient >> c & 1U) != 0 && ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c, 0, 0) != 0)
      return kNoNamespace;
  }
  return has_borrowed_privilege() ? kBorrowed : kOwn;
}

int judged(std::uint64_t permitted, std::uint64_t ambient) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(judge(permitted, ambient));
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

constexpr std::uint64_t kAlarm = std::uint64_t{1} << unsigned{CAP_WAKE_ALARM};  // in the second word
constexpr std::uint64_t kRaw = std::uint64_t{1} << unsigned{CAP_NET_RAW};

TEST(BorrowedPrivilege, capabilities_of_the_session_are_the_users_own) {
  if (judged(0, 0) == kNoNamespace) GTEST_SKIP() << "no user namespaces here";
  EXPECT_EQ(judged(0, 0), kOwn);
  EXPECT_EQ(judged(kAlarm, kAlarm), kOwn);
  EXPECT_EQ(judged(kAlarm | kRaw, kAlarm | kRaw), kOwn);
}

TEST(BorrowedPrivilege, one_that_only_the_file_can_have_given_is_borrowed) {
  if (judged(0, 0) == kNoNamespace) GTEST_SKIP() << "no user namespaces here";
  EXPECT_EQ(judged(kRaw, 0), kBorrowed);
  EXPECT_EQ(judged(kAlarm, 0), kBorrowed);
  EXPECT_EQ(judged(kRaw | kAlarm, kAlarm), kBorrowed);
}

}  // namespace
}  // namespace podshark::worker
