// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/tcp_states.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "podman/core/fd.h"
#include "podman/kernel/netlink.h"

namespace podshark::kernel {
namespace {

constexpr std::uint32_t kEstablished = 1U << 1U;  // TCPF_ESTABLISHED

IpAddress address(std::uint8_t family, const __be32* words) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(words);
  return family == AF_INET ? IpAddress::v4(bytes) : IpAddress::v6(bytes);
}

void add_state(const nlmsghdr& header, std::vector<model::TcpState>& out) {
  const std::size_t head = sizeof(nlmsghdr) + aligned(sizeof(inet_diag_msg));
  if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || header.nlmsg_len < head) return;
  const char* data = reinterpret_cast<const char*>(&header);
  inet_diag_msg body{};
  std::memcpy(&body, data + sizeof(nlmsghdr), sizeof(body));
  model::TcpState state;
  state.local = address(body.idiag_family, body.id.idiag_src);
  state.remote = address(body.idiag_family, body.id.idiag_dst);
  state.local_port = ntohs(body.id.idiag_sport);
  state.remote_port = ntohs(body.id.idiag_dport);
  for_each_attribute(data + head, header.nlmsg_len - head, [&](const Attribute& a) {
    if (a.type != INET_DIAG_INFO) return;
    tcp_info info{};  // an older kernel sends less of it
    std::memcpy(&info, a.data, std::min(a.size, sizeof(info)));
    state.path_mtu = info.tcpi_pmtu;
    state.backoff = info.tcpi_backoff;
    state.unacked = info.tcpi_unacked;
    state.lost = info.tcpi_lost;
    state.not_sent = info.tcpi_notsent_bytes;
  });
  out.push_back(state);
}

}  // namespace

Result<std::vector<model::TcpState>> tcp_states(std::size_t max) {
  const UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!fd) return os_error(errno, "open a socket for TCP's state");
  std::vector<model::TcpState> out;
  for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
    inet_diag_req_v2 body{};
    body.sdiag_family = family;
    body.sdiag_protocol = IPPROTO_TCP;
    body.idiag_ext = 1U << (INET_DIAG_INFO - 1U);
    body.idiag_states = kEstablished;
    const Status got = dump(fd.get(), SOCK_DIAG_BY_FAMILY, &body, sizeof(body), [&](const nlmsghdr& header) {
      if (out.size() < max) add_state(header, out);
    });
    if (!got && family == AF_INET) return got.wrap("read TCP's state");
  }
  return out;
}

}  // namespace podshark::kernel
