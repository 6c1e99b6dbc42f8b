// SPDX-License-Identifier: GPL-2.0-or-later
// podshark-drops: loads the BPF program that sees dropped packets, and is told by podshark whose packets
// count. Speaks on descriptor 0, takes no arguments. The program is gone when this process is. Stages:
//   options  Should: take one fixed-size message.                  Mustn't: hold an effective capability.
//   load     Should: CAP_BPF and CAP_PERFMON, to load and attach.  Mustn't: read client data any more.
//   serve    Should: update maps as asked.                         Mustn't: hold any capability.
// The last stage has a seccomp filter too.
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "extcap/drops/kernel_facts.h"
#include "extcap/drops/program.h"
#include "extcap/drops/protocol.h"
#include "extcap/worker/privilege.h"
#include "extcap/worker/seccomp.h"
#include "podman/core/fd.h"

namespace podshark::drops {
namespace {

constexpr int kChannel = STDIN_FILENO;

bool send_bytes(const void* data, std::size_t size, const int* fds, std::size_t count) {
  iovec part{const_cast<void*>(data), size};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(2 * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (count > 0) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds, count * sizeof(int));
  }
  return ::sendmsg(kChannel, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(size);
}

bool send_reply(const Reply& reply) {
  return send_bytes(&reply, sizeof(reply), nullptr, 0);
}

bool send_names(const std::vector<ReasonName>& names) {
  std::vector<char> bytes(sizeof(NamesHeader) + names.size() * sizeof(ReasonName));
  const NamesHeader header{kMagic, static_cast<std::uint32_t>(names.size())};
  std::memcpy(bytes.data(), &header, sizeof(header));
  if (!names.empty())
    std::memcpy(bytes.data() + sizeof(header), names.data(), names.size() * sizeof(ReasonName));
  return send_bytes(bytes.data(), bytes.size(), nullptr, 0);
}

// False at the end of the channel. `request->magic` is 0 when what came is no request.
bool receive(Request* request, UniqueFd* passed) {
  iovec part{request, sizeof(*request)};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t n = 0;
  while ((n = ::recvmsg(kChannel, &message, MSG_TRUNC | MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  if (n <= 0) return false;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    passed->reset(fd);
  }
  if (n != static_cast<ssize_t>(sizeof(*request)) || request->magic != kMagic) *request = Request{.magic = 0};
  return true;
}

// The namespace of a packet socket, 0 for anything else: such a socket is what proves the right to read
// packets there.
std::uint64_t netns_cookie(const UniqueFd& socket) {
  int domain = 0;
  socklen_t length = sizeof(domain);
  if (!socket || ::getsockopt(socket.get(), SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0 ||
      domain != AF_PACKET)
    return 0;
  std::uint64_t cookie = 0;
  length = sizeof(cookie);
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) == 0 ? cookie : 0;
}

int apply(Program* program, const Request& request, const UniqueFd& socket) {
  if (request.magic != kMagic || request.operation == Operation::options) return EINVAL;
  const std::uint64_t cookie = netns_cookie(socket);
  if (request.operation != Operation::forget && cookie == 0) return EPERM;
  return program->apply(request, cookie);
}

int serve() {
  Request options;
  UniqueFd none;
  if (!receive(&options, &none) || options.magic != kMagic || options.operation != Operation::options)
    return 2;
  const KernelFacts facts = read_kernel_facts();
  Program program;
  worker::raise_only(CAP_BPF, CAP_PERFMON);
  const Reply loaded = program.load(facts, options);
  worker::drop_all();
  worker::restrict_to_watching();
  if (loaded.stage != Stage::done) return send_reply(loaded) ? 0 : 1;
  const std::array<int, 2> fds{program.ring_fd(), program.counts_fd()};
  if (!send_names(facts.reasons) || !send_bytes(&loaded, sizeof(loaded), fds.data(), fds.size())) return 1;
  for (Request request;;) {
    UniqueFd socket;
    if (!receive(&request, &socket)) return 0;
    Reply reply;
    reply.error = apply(&program, request, socket);
    reply.tag = request.tag;
    reply.stage = Stage::watch;
    if (reply.error != 0 && !send_reply(reply)) return 1;
  }
}

}  // namespace
}  // namespace podshark::drops

int main() {
  (void)::clearenv();
  (void)std::signal(SIGPIPE, SIG_IGN);
  (void)::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  podshark::worker::raise_only(-1);
  int type = 0;
  socklen_t length = sizeof(type);
  if (::getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_SEQPACKET) {
    constexpr char kText[] =
        "podshark-drops is started by podshark and does nothing by hand; try 'podshark doctor'\n";
    (void)!::write(STDERR_FILENO, kText, sizeof(kText) - 1);
    return 2;
  }
  ::_exit(podshark::drops::serve());
}
