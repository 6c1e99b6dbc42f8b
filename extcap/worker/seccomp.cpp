// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp(2) allow-lists as classic BPF: architecture, then one comparison per call. A failing installation
// is no error: the filter is the second line behind dropped capabilities, and kernels without it still
// capture.
#include "extcap/worker/seccomp.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace podshark::worker {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;  // unknown: no filter
#endif

constexpr std::array kServing {
  SYS_recvfrom, SYS_recvmsg, SYS_sendmsg,                                     // the channel
      SYS_openat, SYS_close, SYS_read, SYS_lseek, SYS_fstat, SYS_newfstatat,  // /proc and /run/netns
      SYS_fstatfs, SYS_ioctl, SYS_pidfd_open, SYS_ppoll,                      // identity
      SYS_setns, SYS_socket, SYS_getsockopt,                                  // what it is for
      SYS_clone, SYS_clone3, SYS_wait4, SYS_exit, SYS_exit_group,             // a child per request
      SYS_capget, SYS_capset, SYS_prctl, SYS_seccomp,                         // giving up privilege
      SYS_getpid, SYS_gettid, SYS_getuid, SYS_geteuid, SYS_mmap, SYS_munmap, SYS_mprotect, SYS_brk,
      SYS_madvise, SYS_futex, SYS_getrandom,  // the C library
      SYS_set_robust_list, SYS_rseq, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn,
#if defined(__x86_64__)
      SYS_open, SYS_stat, SYS_poll, SYS_fork,
#endif
};

constexpr std::array kAnswering{
    SYS_sendmsg, SYS_close, SYS_fstat, SYS_newfstatat, SYS_capget,     SYS_capset,
    SYS_munmap,  SYS_brk,   SYS_futex, SYS_exit,       SYS_exit_group, SYS_rt_sigreturn,
};

constexpr std::array kWatching{
    SYS_recvmsg, SYS_sendmsg, SYS_bpf,   SYS_getsockopt, SYS_close,      SYS_mmap,
    SYS_munmap,  SYS_brk,     SYS_futex, SYS_exit,       SYS_exit_group, SYS_rt_sigreturn,
};

constexpr std::array kCapturing {
  SYS_read, SYS_write, SYS_close, SYS_ppoll, SYS_newfstatat,  // stdin, stdout, processes that end
      SYS_socket, SYS_bind, SYS_setsockopt, SYS_getsockopt,   // links and their rings
      SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg,     // rtnetlink, and sockets passed on
      SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_brk, SYS_madvise,  // rings, memory
      SYS_clock_gettime, SYS_getppid, SYS_wait4, SYS_capget, SYS_capset, SYS_exit, SYS_exit_group,
      SYS_rt_sigreturn, SYS_restart_syscall,
#if defined(__x86_64__)
      SYS_poll, SYS_stat,
#endif
};

template <std::size_t N>
void restrict_to(const std::array<decltype(SYS_read), N>& allowed) {
  if (kArchitecture == 0) return;
  constexpr std::size_t kHead = 4;
  std::array<sock_filter, kHead + N + 2> program{};
  program[0] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
  program[1] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
  program[2] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  program[3] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  for (std::size_t i = 0; i < N; ++i) {
    const auto to_allow = static_cast<std::uint8_t>(N - i);  // over the remaining comparisons and the refusal
    program[kHead + i] =
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(allowed[i]), to_allow, 0);
  }
  program[kHead + N] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  program[kHead + N + 1] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  (void)::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
}

}  // namespace

void restrict_to_serving() {
  restrict_to(kServing);
}
void restrict_to_watching() {
  restrict_to(kWatching);
}
void restrict_to_capturing() {
  restrict_to(kCapturing);
}
void restrict_to_answering() {
  restrict_to(kAnswering);
}

}  // namespace podshark::worker
