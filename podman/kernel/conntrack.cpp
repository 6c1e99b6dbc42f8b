// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/conntrack.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "podman/core/fd.h"
#include "podman/kernel/netlink.h"

namespace podshark::kernel {
namespace {

constexpr std::uint16_t kGet = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;

std::uint16_t port(const Attribute& a) {
  std::uint16_t value = 0;
  if (a.size >= sizeof(value)) std::memcpy(&value, a.data, sizeof(value));
  return ntohs(value);
}

IpAddress address(const Attribute& a) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(a.data);
  if (a.size == 4) return IpAddress::v4(bytes);
  return a.size == 16 ? IpAddress::v6(bytes) : IpAddress{};
}

void read_tuple(const Attribute& tuple, model::Conntrack::Tuple& out, std::uint8_t& protocol) {
  for_each_attribute(tuple.data, tuple.size, [&](const Attribute& part) {
    for_each_attribute(part.data, part.size, [&](const Attribute& a) {
      if (part.type == CTA_TUPLE_IP) {
        if (a.type == CTA_IP_V4_SRC || a.type == CTA_IP_V6_SRC) out.source = address(a);
        if (a.type == CTA_IP_V4_DST || a.type == CTA_IP_V6_DST) out.destination = address(a);
      }
      if (part.type == CTA_TUPLE_PROTO) {
        if (a.type == CTA_PROTO_NUM && a.size >= 1) protocol = static_cast<std::uint8_t>(a.data[0]);
        if (a.type == CTA_PROTO_SRC_PORT) out.source_port = port(a);
        if (a.type == CTA_PROTO_DST_PORT) out.destination_port = port(a);
      }
    });
  });
}

void add_entry(const nlmsghdr& header, std::vector<model::Conntrack>& out) {
  const std::size_t head = sizeof(nlmsghdr) + aligned(sizeof(nfgenmsg));
  if (header.nlmsg_len < head) return;
  model::Conntrack entry;
  const char* data = reinterpret_cast<const char*>(&header);
  for_each_attribute(data + head, header.nlmsg_len - head, [&](const Attribute& a) {
    if (a.type == CTA_TUPLE_ORIG) read_tuple(a, entry.orig, entry.protocol);
    if (a.type == CTA_TUPLE_REPLY) read_tuple(a, entry.reply, entry.protocol);
    if (a.type == CTA_STATUS && a.size >= sizeof(std::uint32_t)) {
      std::uint32_t status = 0;
      std::memcpy(&status, a.data, sizeof(status));
      status = ntohl(status);
      entry.seen_reply = (status & IPS_SEEN_REPLY) != 0;
      entry.assured = (status & IPS_ASSURED) != 0;
    }
  });
  out.push_back(entry);
}

}  // namespace

Result<std::vector<model::Conntrack>> conntrack_entries(std::size_t max) {
  const UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!fd) return os_error(errno, "open a socket to connection tracking");
  const int size = 4 << 20;
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
  std::vector<model::Conntrack> out;
  const nfgenmsg body{AF_UNSPEC, NFNETLINK_V0, 0};
  const Status got = dump(fd.get(), kGet, &body, sizeof(body), [&](const nlmsghdr& header) {
    if (out.size() < max) add_entry(header, out);
  });
  if (!got) return got.wrap("read connection tracking");
  return out;
}

}  // namespace podshark::kernel
