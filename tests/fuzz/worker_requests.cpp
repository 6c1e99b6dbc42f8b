// SPDX-License-Identifier: GPL-2.0-or-later
// libFuzzer target: what a client may send to the worker, with and without a descriptor. In this process and
// without any capability, once as the worker that root runs and once as the installed one; so the source
// itself is included, for its entering child would keep its coverage to itself.
#include "extcap/worker/serve.cpp"  // NOLINT(bugprone-suspicious-include)

#include <fcntl.h>

#include "tests/fuzz/clean.h"

using namespace podshark;
using namespace podshark::worker;
using fuzz::require;

namespace {

void send(int channel, std::string_view bytes, int descriptor) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof(descriptor));
  }
  require(::sendmsg(channel, &message, 0) == static_cast<ssize_t>(bytes.size()));
}

void serve_one(std::string_view bytes, int descriptor, bool borrowed) {
  std::array<int, 2> ends{};
  require(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const UniqueFd client(ends[0]), server(ends[1]);
  send(client.get(), bytes, descriptor);
  Request request;
  UniqueFd passed;
  const ssize_t n = receive(server.get(), borrowed, &request, &passed);
  require(n == static_cast<ssize_t>(bytes.size()) && !(borrowed && passed));
  if (n != static_cast<ssize_t>(sizeof(request))) return;
  Sockets sockets;
  const Reply reply = handle(request, borrowed, std::move(passed), &sockets);
  require(sockets.count <= kMaxSockets);
  for (std::uint32_t i = 0; i < sockets.count; ++i) require(::close(sockets.fds[i]) == 0);
  if (reply.stage != Stage::done) return;
  // Nobody but whoever may do the same himself is given a socket of this namespace, or of one that he opened.
  require(!borrowed && reply.sockets == sockets.count);
  require(request.kind == TargetKind::own_netns);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  drop_all();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const UniqueFd no_namespace(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  static const UniqueFd own(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  fuzz::Input input(data, size);
  const std::uint8_t way = input.byte();
  if (input.rest().empty()) return 0;  // an empty message is the end of a conversation
  const std::array<int, 3> descriptors{-1, no_namespace.get(), own.get()};
  serve_one(input.rest(), descriptors[way % 3], (way & 4U) != 0);
  return 0;
}
