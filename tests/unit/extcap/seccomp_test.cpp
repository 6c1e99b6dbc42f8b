// SPDX-License-Identifier: GPL-2.0-or-later
// What is left to a privileged program of ours in each stage, asked of the kernel itself in a child.
// Not under AddressSanitizer: behind such a filter its own calls fail.
#ifndef __SANITIZE_ADDRESS__
#include "extcap/worker/seccomp.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace podshark::worker {
namespace {

// errno of a call with senseless arguments: EPERM comes from the filter, anything else from the call itself.
int error_behind(void (*filter)(), long call) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    (void)::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    filter();
    errno = 0;
    (void)::syscall(call, -1, -1, -1, -1, -1, -1);
    ::_exit(errno);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status)) << "call " << call;
  return WEXITSTATUS(status);
}

void expect_refused(void (*filter)(), const std::vector<long>& calls) {
  for (const long call : calls) EXPECT_EQ(error_behind(filter, call), EPERM) << "call " << call;
}

void expect_let_pass(void (*filter)(), const std::vector<long>& calls) {
  for (const long call : calls) EXPECT_NE(error_behind(filter, call), EPERM) << "call " << call;
}

// No stage has a use for these.
const std::vector<long> kNever{
    SYS_execve,   SYS_execveat,   SYS_ptrace,    SYS_process_vm_readv, SYS_mount,
    SYS_unshare,  SYS_pivot_root, SYS_chroot,    SYS_unlinkat,         SYS_mkdirat,
    SYS_renameat, SYS_fchmodat,   SYS_fchownat,  SYS_linkat,           SYS_symlinkat,
    SYS_kill,     SYS_setuid,     SYS_setgroups, SYS_init_module,      SYS_open_by_handle_at,
    SYS_connect,  SYS_listen,     SYS_accept4,   SYS_keyctl,           SYS_perf_event_open};

TEST(Seccomp, the_worker_serves_and_nothing_else) {
  expect_refused(restrict_to_serving, kNever);
  expect_refused(restrict_to_serving, {SYS_bpf, SYS_bind, SYS_sendto, SYS_setsockopt, SYS_write});
  expect_let_pass(restrict_to_serving, {SYS_setns, SYS_sendmsg, SYS_recvmsg});
}

TEST(Seccomp, after_its_last_privileged_step_the_worker_answers_and_nothing_else) {
  expect_refused(restrict_to_answering, kNever);
  expect_refused(restrict_to_answering, {SYS_bpf, SYS_bind, SYS_sendto, SYS_setsockopt, SYS_write, SYS_openat,
                                         SYS_socket, SYS_setns, SYS_clone, SYS_recvmsg, SYS_ioctl, SYS_mmap});
  expect_let_pass(restrict_to_answering, {SYS_sendmsg});
}

TEST(Seccomp, podshark_drops_watches_and_nothing_else) {
  expect_refused(restrict_to_watching, kNever);
  expect_refused(restrict_to_watching, {SYS_bind, SYS_sendto, SYS_setsockopt, SYS_write, SYS_openat,
                                        SYS_socket, SYS_setns, SYS_clone, SYS_ioctl});
  expect_let_pass(restrict_to_watching, {SYS_sendmsg, SYS_recvmsg});
}

TEST(Seccomp, the_agent_captures_and_nothing_else) {
  expect_refused(restrict_to_capturing, kNever);
  expect_refused(restrict_to_capturing, {SYS_bpf, SYS_openat, SYS_setns, SYS_clone});
  expect_let_pass(restrict_to_capturing, {SYS_socket, SYS_bind, SYS_sendmsg, SYS_recvmsg});
}

}  // namespace
}  // namespace podshark::worker
#endif
