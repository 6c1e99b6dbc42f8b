// SPDX-License-Identifier: GPL-2.0-or-later
// Stages of the child, each with what it may do:
//   open    Should: open /proc/PID/ns/net through the directory that was verified.  Mustn't: join anything.
//   join    Should: setns(2), once.                                    Mustn't: keep more than CAP_NET_RAW.
//   serve   Should: make unbound sockets and pass them.                Mustn't: do anything else (seccomp).
#include "extcap/agent/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "extcap/agent/arguments.h"
#include "extcap/agent/line.h"
#include "extcap/worker/privilege.h"
#include "extcap/worker/seccomp.h"
#include "podman/wire/netns.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434  // Linux 5.3
#endif
#ifndef SYS_close_range
#define SYS_close_range 436  // Linux 5.9
#endif

namespace podshark::agent {
namespace {

constexpr int kNetlinkRoute = 0;        // NETLINK_ROUTE
constexpr int kManyDescriptors = 4096;  // where close_range(2) is unknown

enum class Stage : std::int32_t { done, open, join, socket };

struct Reply {
  Stage stage = Stage::done;
  std::int32_t error = 0;
  std::uint32_t sockets = 0;
};

int make_sockets(SocketCounts counts, Sockets* out) {
  const struct {
    std::uint32_t count;
    int domain, type, protocol;
  } kinds[] = {{counts.netlink, AF_NETLINK, SOCK_RAW, kNetlinkRoute},
               {counts.raw, AF_PACKET, SOCK_RAW, 0},  // protocol 0: sees nothing until it is bound
               {counts.cooked, AF_PACKET, SOCK_DGRAM, 0}};
  for (const auto& kind : kinds) {
    for (std::uint32_t i = 0; i < kind.count; ++i) {
      if (out->count == kMaxSockets) return EMFILE;
      std::uint64_t cookie = 0;
      const int fd = wire::open_socket(kind.domain, kind.type, kind.protocol, &cookie);
      if (fd < 0) return -fd;
      out->fds[out->count++].reset(fd);
    }
  }
  return 0;
}

ExitCode code_of(Stage stage, int error) {
  if (error == EPERM || error == EACCES) return kNotPermitted;
  if (error == ENOMEM || error == ENOBUFS) return kNoMemory;
  if (stage == Stage::open && (error == ENOENT || error == ESRCH)) return kNoProcess;
  if (stage == Stage::socket &&
      (error == EAFNOSUPPORT || error == EPROTONOSUPPORT || error == ESOCKTNOSUPPORT))
    return kNoPacketSockets;
  return kInternal;
}

Failure failure(Stage stage, int error) {
  static constexpr const char* kSteps[] = {nullptr, "open its network namespace",
                                           "enter its network namespace", "open a packet socket"};
  return {kSteps[static_cast<int>(stage)], error, code_of(stage, error)};
}

// Nothing of the parent's stays open: who waits for the end of the agent's output must not wait for this
// child.
void keep_only_descriptors(int process, int channel) {
  (void)::dup2(process, STDIN_FILENO);
  (void)::dup2(channel, STDOUT_FILENO);
  if (::syscall(SYS_close_range, STDERR_FILENO, ~0U, 0) == 0) return;
  for (int fd = STDERR_FILENO; fd < kManyDescriptors; ++fd) (void)::close(fd);
}

bool send_reply(int channel, Reply reply, const Sockets& sockets) {
  iovec data{&reply, sizeof(reply)};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxSockets)];
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (reply.sockets > 0) {
    int fds[kMaxSockets];
    for (std::size_t i = 0; i < reply.sockets; ++i) fds[i] = sockets.fds[i].get();
    const std::size_t bytes = sizeof(int) * reply.sockets;
    message.msg_control = control;
    message.msg_controllen = static_cast<decltype(message.msg_controllen)>(CMSG_SPACE(bytes));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = static_cast<decltype(header->cmsg_len)>(CMSG_LEN(bytes));
    memcpy(CMSG_DATA(header), fds, bytes);
  }
  return ::sendmsg(channel, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof(reply));
}

Reply enter(int process) {
  const UniqueFd netns(::openat(process, "ns/net", O_RDONLY | O_CLOEXEC));
  if (!netns) return {Stage::open, errno, 0};
  const int error = wire::join_netns(netns.get());
  return error == 0 ? Reply{} : Reply{Stage::join, -error, 0};
}

// For the rest of its life; the parent's end of the channel tells it to go.
[[noreturn]] void serve(int process, int channel, pid_t parent) {
  keep_only_descriptors(process, channel);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) (void)::signal(signal, SIG_IGN);
  const Reply entered = enter(STDIN_FILENO);
  (void)::close(STDIN_FILENO);
  worker::keep_only(CAP_NET_RAW);
  // After the last change of credentials, which takes it away.
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  worker::restrict_to_capturing();
  bool go_on =
      ::getppid() == parent && send_reply(STDOUT_FILENO, entered, {}) && entered.stage == Stage::done;
  while (go_on) {
    SocketCounts wanted;
    const ssize_t n = ::recv(STDOUT_FILENO, &wanted, sizeof(wanted), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n != static_cast<ssize_t>(sizeof(wanted))) break;
    Sockets sockets;
    Reply reply;
    reply.error = make_sockets(wanted, &sockets);
    reply.stage = reply.error == 0 ? Stage::done : Stage::socket;
    reply.sockets = reply.error == 0 ? static_cast<std::uint32_t>(sockets.count) : 0;
    go_on = send_reply(STDOUT_FILENO, reply, sockets);
  }
  ::_exit(0);
}

// False: the child has died.
bool receive_reply(int channel, Reply* reply, Sockets* out) {
  iovec data{reply, sizeof(*reply)};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxSockets)];
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  ssize_t n = 0;
  while ((n = ::recvmsg(channel, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  const cmsghdr* header = n > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    int fds[kMaxSockets];
    memcpy(fds, CMSG_DATA(header), count * sizeof(int));
    for (std::size_t i = 0; i < count; ++i) out->fds[out->count++].reset(fds[i]);
  }
  return n == static_cast<ssize_t>(sizeof(*reply)) && out->count == reply->sockets;
}

bool leads_to_process(int directory) {
  struct stat status;
  return ::fstatat(directory, "stat", &status, 0) == 0 || (errno != ENOENT && errno != ESRCH);
}

}  // namespace

// A descriptor of /proc/PID belongs to that process for good, unlike its number.
bool Opener::identify(int pid) {
  Line path;
  path.add("/proc/").add(static_cast<std::uint64_t>(pid));
  process_.reset(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!process_) return false;
  pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  return leads_to_process(process_.get()) && !gone();  // so both are of the same one
}

// With hidepid=, /proc tells less after privileges were given up; the pidfd does not.
bool Opener::gone() const {
  if (!pidfd_) return process_ && !leads_to_process(process_.get());
  pollfd ended{pidfd_.get(), POLLIN, 0};
  return ::poll(&ended, 1, 0) > 0;
}

Failure Opener::start(int pid) {
  if (pid == kSelf) return {};
  if (!identify(pid)) return {"find the process", ESRCH, kNoProcess};
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return {"make a socket pair", errno, kInternal};
  channel_.reset(pair[0]);
  UniqueFd theirs(pair[1]);
  const pid_t parent = ::getpid();
  child_ = ::fork();
  if (child_ < 0) return {"fork", errno, kNoMemory};
  if (child_ == 0) serve(process_.get(), theirs.get(), parent);
  theirs.reset();
  Sockets none;
  return answer(&none);
}

Failure Opener::answer(Sockets* out) {
  Reply reply;
  if (!receive_reply(channel_.get(), &reply, out))
    return {"reach the child in its network namespace", EPIPE, kInternal};
  return failure(reply.stage, reply.error);
}

Failure Opener::open(SocketCounts counts, Sockets* out) {
  if (channel_) {
    if (::send(channel_.get(), &counts, sizeof(counts), MSG_NOSIGNAL) < 0)
      return {"reach the child in its network namespace", errno, kInternal};
    return answer(out);
  }
  worker::raise_only(CAP_NET_RAW);
  const int error = make_sockets(counts, out);
  worker::raise_only(-1);
  return failure(error == 0 ? Stage::done : Stage::socket, error);
}

void Opener::close() {
  process_.reset();
  pidfd_.reset();
  channel_.reset();
  if (child_ > 0) {
    while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  child_ = 0;
}

}  // namespace podshark::agent
