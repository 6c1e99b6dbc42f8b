// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/link_counters.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>

#include "podman/kernel/netlink.h"

namespace podshark::kernel {
namespace {

void take_stats(const Attribute& a, LinkCounters& link) {
  rtnl_link_stats64 stats{};  // an older kernel's is shorter, a newer one's longer
  std::memcpy(&stats, a.data, std::min(a.size, sizeof(stats)));
  link.rx_packets = stats.rx_packets;
  link.rx_bytes = stats.rx_bytes;
  link.rx_errors = stats.rx_errors;
  link.rx_dropped = stats.rx_dropped;
  link.tx_packets = stats.tx_packets;
  link.tx_bytes = stats.tx_bytes;
  link.tx_errors = stats.tx_errors;
  link.tx_dropped = stats.tx_dropped;
}

void add_link(const nlmsghdr& header, std::vector<LinkCounters>& links) {
  const std::size_t used = sizeof(nlmsghdr) + aligned(sizeof(ifinfomsg));
  if (header.nlmsg_type != RTM_NEWLINK || header.nlmsg_len < used) return;
  const char* body = reinterpret_cast<const char*>(&header) + sizeof(nlmsghdr);
  ifinfomsg info{};
  std::memcpy(&info, body, sizeof(info));
  LinkCounters link;
  link.ifindex = info.ifi_index;
  link.flags = info.ifi_flags;
  link.arphrd = info.ifi_type;
  for_each_attribute(body + aligned(sizeof(info)), header.nlmsg_len - used, [&](const Attribute& a) {
    if (a.type == IFLA_IFNAME) link.name.assign(a.data, strnlen(a.data, a.size));
    if (a.type == IFLA_STATS64) take_stats(a, link);
  });
  links.push_back(std::move(link));
}

}  // namespace

Result<std::vector<LinkCounters>> link_counters(int netlink_fd) {
  std::vector<LinkCounters> links;
  const Status got = dump(netlink_fd, RTM_GETLINK, [&](const nlmsghdr& header) { add_link(header, links); });
  if (!got) return got.error();
  std::sort(links.begin(), links.end(), [](const auto& a, const auto& b) { return a.ifindex < b.ifindex; });
  return links;
}

}  // namespace podshark::kernel
