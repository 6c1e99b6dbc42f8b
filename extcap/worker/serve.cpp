// SPDX-License-Identifier: GPL-2.0-or-later
// Stages of one request, each in the entering child:
//   receive  Should: take exactly one fixed-size message.         Mustn't: hold an effective capability.
//   open     Should: SYS_PTRACE for /proc/PID/{exe,ns/net} only.  Mustn't: join anything.
//   join     Should: SYS_ADMIN for setns(2) only.                 Mustn't: read client data any more.
//   socket   Should: NET_RAW for AF_PACKET and ICMP only.         Mustn't: bind, receive or send packets.
//   reply    Should: pass descriptors and exit.                   Mustn't: hold any capability.
#include "extcap/worker/serve.h"

#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "extcap/worker/privilege.h"
#include "extcap/worker/protocol.h"
#include "extcap/worker/seccomp.h"
#include "extcap/worker/target.h"
#include "podman/wire/netns.h"

namespace podshark::worker {
namespace {

constexpr std::array kFamily{AF_INET, AF_INET6};
constexpr std::array<int, 2> kIcmp{IPPROTO_ICMP, IPPROTO_ICMPV6};

struct Sockets {
  std::array<int, kMaxSockets> fds{};
  std::uint32_t count = 0;
};

Reply failure(Stage stage, int error = 0) {
  Reply reply;
  reply.stage = stage;
  reply.error = error;
  return reply;
}

bool send_reply(int channel, std::uint32_t serial, Reply reply, const Sockets& sockets) {
  reply.serial = serial;
  iovec data{&reply, sizeof(reply)};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxSockets)> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (sockets.count > 0) {
    const std::size_t bytes = sizeof(int) * sockets.count;
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(header), sockets.fds.data(), bytes);
  }
  return ::sendmsg(channel, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof(reply));
}

std::uint64_t probe_sockets(const Request& r) {
  std::uint64_t sum = 0;
  for (const auto& pair : {r.probe.tcp, r.probe.udp, r.probe.icmp}) sum += std::uint64_t{pair[0]} + pair[1];
  return sum;
}

bool valid(const Request& r) {
  const std::uint64_t sum = std::uint64_t{r.netlink_sockets} + r.raw_sockets + r.cooked_sockets +
                            r.netfilter_sockets + probe_sockets(r);
  return r.magic == kMagic && sum <= kMaxSockets && (r.kind != TargetKind::process || r.pid > 0);
}

// ping_group_range of the namespace decides about the datagram socket; raw needs CAP_NET_RAW there.
int open_icmp(int domain, int protocol, std::uint64_t* cookie) {
  const int fd = wire::open_socket(domain, SOCK_DGRAM, protocol, cookie);
  return fd == -EACCES || fd == -EPERM ? wire::open_socket(domain, SOCK_RAW, protocol, cookie) : fd;
}

int make_sockets(const Request& request, Sockets* sockets, std::uint64_t* cookie) {
  const auto make = [&](std::uint32_t count, int domain, int type, int protocol) {
    const bool icmp = domain != AF_PACKET && domain != AF_NETLINK && type == SOCK_RAW;
    for (std::uint32_t i = 0; i < count; ++i) {
      const int fd =
          icmp ? open_icmp(domain, protocol, cookie) : wire::open_socket(domain, type, protocol, cookie);
      if (fd < 0) return -fd;
      sockets->fds[sockets->count++] = fd;
    }
    return 0;
  };
  constexpr int kNetlinkRoute = 0;       // NETLINK_ROUTE
  constexpr int kNetlinkNetfilter = 12;  // NETLINK_NETFILTER
  if (const int e = make(request.netlink_sockets, AF_NETLINK, SOCK_RAW, kNetlinkRoute); e != 0) return e;
  if (const int e = make(request.raw_sockets, AF_PACKET, SOCK_RAW, 0); e != 0) return e;
  if (const int e = make(request.cooked_sockets, AF_PACKET, SOCK_DGRAM, 0); e != 0) return e;
  if (const int e = make(request.netfilter_sockets, AF_NETLINK, SOCK_RAW, kNetlinkNetfilter); e != 0)
    return e;
  const ProbeSockets& p = request.probe;
  for (const std::size_t v6 : {0U, 1U}) {
    if (const int e = make(p.tcp[v6], kFamily[v6], SOCK_STREAM, 0); e != 0) return e;
  }
  for (const std::size_t v6 : {0U, 1U}) {
    if (const int e = make(p.udp[v6], kFamily[v6], SOCK_DGRAM, 0); e != 0) return e;
  }
  for (const std::size_t v6 : {0U, 1U}) {
    if (const int e = make(p.icmp[v6], kFamily[v6], SOCK_RAW, kIcmp[v6]); e != 0) return e;
  }
  return 0;
}

Reply handle(const Request& request, bool borrowed, UniqueFd passed, Sockets* sockets) {
  if (!valid(request)) return failure(Stage::request);
  if (borrowed && (probe_sockets(request) != 0 || request.netfilter_sockets != 0))
    return failure(Stage::probes_off);
  const OpenedNetns netns = open_target(request, borrowed, std::move(passed));
  if (netns.stage != Stage::done) return failure(netns.stage, netns.error);

  raise_only(CAP_SYS_ADMIN);
  const int joined = request.kind == TargetKind::own_netns ? 0 : wire::join_netns(netns.fd.get());
  if (joined != 0) return failure(Stage::join, -joined);

  // Joining a user namespace gave a full permitted set there; only what the sockets need is used of it.
  raise_only(CAP_NET_RAW);
  Reply reply;
  const int error = make_sockets(request, sockets, &reply.netns_cookie);
  drop_all();
  if (borrowed) restrict_to_answering();
  if (error != 0) return failure(Stage::socket, error);
  reply.sockets = sockets->count;
  reply.netns_inode = wire::ns_inode(netns.fd.get());
  return reply;
}

[[noreturn]] void child(int channel, const Request& request, bool borrowed, UniqueFd passed) {
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);  // also when it is stopped, and the worker killed
  Sockets sockets;
  Reply reply = handle(request, borrowed, std::move(passed), &sockets);
  drop_all();
  if (reply.stage != Stage::done) sockets.count = 0;
  ::_exit(send_reply(channel, request.serial, reply, sockets) ? 0 : 1);
}

// One message; a descriptor with it is taken only by a worker without privileges of its own (the kernel
// discards it otherwise). Returns recvmsg(2)'s answer.
ssize_t receive(int channel, bool borrowed, Request* request, UniqueFd* passed) {
  iovec data{request, sizeof(*request)};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (!borrowed) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
  }
  const ssize_t n = ::recvmsg(channel, &message, MSG_TRUNC | MSG_CMSG_CLOEXEC);
  const cmsghdr* header = n > 0 && !borrowed ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    passed->reset(fd);
  }
  return n;
}

}  // namespace

void serve(int channel) {
  const bool borrowed = has_borrowed_privilege();
  (void)::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (borrowed) restrict_to_serving();
  raise_only(-1);
  for (;;) {
    Request request;
    UniqueFd passed;
    const ssize_t n = receive(channel, borrowed, &request, &passed);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    const bool complete = n == static_cast<ssize_t>(sizeof(request));
    const pid_t pid = complete ? ::fork() : -1;
    if (pid == 0) child(channel, request, borrowed, std::move(passed));
    int status = 0;
    if (pid > 0) {
      while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
      }
    }
    if (!complete) (void)send_reply(channel, 0, failure(Stage::request), {});
    if (complete && (pid < 0 || status != 0))
      (void)send_reply(channel, request.serial, failure(Stage::died), {});
  }
}

}  // namespace podshark::worker
