// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/topology.h"

#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "podman/kernel/netlink.h"

namespace podshark::kernel {
namespace {

struct IdRequest {
  nlmsghdr header{};
  rtgenmsg body{};
  std::array<char, 3> padding{};
  rtattr attribute{};
  std::int32_t pid = 0;
};
static_assert(sizeof(IdRequest) == 28);

int nsid_in(const char* message, std::size_t size) {
  const std::size_t head = sizeof(nlmsghdr) + aligned(sizeof(rtgenmsg));
  int id = -1;
  if (size < head) return id;
  for_each_attribute(message + head, size - head, [&](const Attribute& a) {
    if (a.type == NETNSA_NSID && a.size >= sizeof(id)) std::memcpy(&id, a.data, sizeof(id));
  });
  return id;
}

}  // namespace

Result<int> namespace_id(int netlink_fd, pid_t pid) {
  static constexpr std::uint32_t kSequence = 0x70734e53;  // no dump's: those count from 1
  IdRequest request;
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = RTM_GETNSID;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.header.nlmsg_seq = kSequence;
  request.attribute = {sizeof(rtattr) + sizeof(request.pid), NETNSA_PID};
  request.pid = pid;
  const Result<std::vector<char>> answer = ask(netlink_fd, &request, sizeof(request), kSequence);
  if (!answer) return answer.wrap("ask for a namespace's id");
  const auto& header = *reinterpret_cast<const nlmsghdr*>(answer->data());
  if (header.nlmsg_type != RTM_NEWNSID) return os_error(ESRCH, "ask for the id of a namespace");
  return nsid_in(answer->data(), answer->size());
}

std::vector<model::Link> peers_in(const std::vector<model::Link>& links, int nsid) {
  std::vector<model::Link> out;
  for (const model::Link& l : links) {
    if (nsid >= 0 && l.kind == "veth" && l.peer_nsid == nsid) out.push_back(l);
  }
  return out;
}

Result<std::vector<int>> uplinks(int netlink_fd) {
  std::vector<std::pair<int, int>> found;  // family, ifindex
  const Status got = dump(netlink_fd, RTM_GETROUTE, [&](const nlmsghdr& header) {
    if (header.nlmsg_type != RTM_NEWROUTE || header.nlmsg_len < sizeof(nlmsghdr) + sizeof(rtmsg)) return;
    const char* body = reinterpret_cast<const char*>(&header) + sizeof(nlmsghdr);
    rtmsg route{};
    std::memcpy(&route, body, sizeof(route));
    if (route.rtm_dst_len != 0 || route.rtm_table != RT_TABLE_MAIN || route.rtm_type != RTN_UNICAST) return;
    const std::size_t head = sizeof(nlmsghdr) + aligned(sizeof(rtmsg));
    for_each_attribute(body + aligned(sizeof(rtmsg)), header.nlmsg_len - head, [&](const Attribute& a) {
      int oif = 0;
      if (a.type == RTA_OIF && a.size >= sizeof(oif)) {
        std::memcpy(&oif, a.data, sizeof(oif));
        found.emplace_back(route.rtm_family, oif);
      }
    });
  });
  if (!got) return got.error();
  std::stable_sort(found.begin(), found.end());  // AF_INET before AF_INET6
  std::vector<int> out;
  for (const auto& [family, oif] : found) {
    if (std::find(out.begin(), out.end(), oif) == out.end()) out.push_back(oif);
  }
  return out;
}

}  // namespace podshark::kernel
