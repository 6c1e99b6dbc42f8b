// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/conntrack.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>

#include "podman/core/fd.h"
#include "podman/kernel/conntrack_message.h"
#include "podman/kernel/netlink.h"

namespace podshark::kernel {
namespace {

constexpr std::uint16_t kGet = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
constexpr int kReceiveBuffer = 4 << 20;  // some 10,000 events

// Only root of the initial namespace may exceed the system's limit.
void enlarge(int fd) {
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof(kReceiveBuffer)) != 0)
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof(kReceiveBuffer));
}

}  // namespace

Result<std::vector<model::Conntrack>> conntrack_entries(std::size_t max) {
  const UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!fd) return os_error(errno, "open a socket to connection tracking");
  enlarge(fd.get());
  std::vector<model::Conntrack> out;
  const nfgenmsg body{AF_UNSPEC, NFNETLINK_V0, 0};
  const Status got = dump(fd.get(), kGet, &body, sizeof(body), [&](const nlmsghdr& header) {
    const std::optional<ConntrackMessage> message =
        parse_conntrack({reinterpret_cast<const char*>(&header), header.nlmsg_len});
    if (message && message->kind == ConntrackMessage::Kind::entry && out.size() < max)
      out.push_back(message->entry);
  });
  if (!got) return got.wrap("read connection tracking");
  return out;
}

Status subscribe_conntrack(int fd) {
  enlarge(fd);
  sockaddr_nl any{};  // a socket without a number of its own hears nothing
  any.nl_family = AF_NETLINK;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof(any)) != 0)
    return os_error(errno, "bind a socket to connection tracking");
  for (const int group : {int{NFNLGRP_CONNTRACK_NEW}, int{NFNLGRP_CONNTRACK_DESTROY}}) {
    if (::setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) != 0)
      return os_error(errno, "listen to connection tracking");
  }
  return ok();
}

Status request_conntrack(int fd, std::uint32_t sequence) {
  struct {
    nlmsghdr header;
    nfgenmsg body;
  } request{};
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = kGet;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.header.nlmsg_seq = sequence;
  request.body.nfgen_family = AF_UNSPEC;
  request.body.version = NFNETLINK_V0;
  if (::send(fd, &request, sizeof(request), 0) < 0) return os_error(errno, "ask for tracked connections");
  return ok();
}

}  // namespace podshark::kernel
