// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/conntrack_message.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <cstring>

#include "podman/kernel/netlink.h"

namespace podshark::kernel {
namespace {

constexpr std::uint16_t kNew = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
constexpr std::uint16_t kDelete = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
constexpr std::size_t kHead = sizeof(nlmsghdr) + aligned(sizeof(nfgenmsg));

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
        if (a.type == CTA_PROTO_NUM) protocol = number<std::uint8_t>(a);
        if (a.type == CTA_PROTO_SRC_PORT) out.source_port = number<std::uint16_t>(a);
        if (a.type == CTA_PROTO_DST_PORT) out.destination_port = number<std::uint16_t>(a);
      }
    });
  });
}

void read_attribute(const Attribute& a, model::Conntrack& entry) {
  switch (a.type) {
    case CTA_TUPLE_ORIG:
      return read_tuple(a, entry.orig, entry.protocol);
    case CTA_TUPLE_REPLY:
      return read_tuple(a, entry.reply, entry.protocol);
    case CTA_ID:
      entry.id = number<std::uint32_t>(a);
      return;
    case CTA_STATUS: {
      const auto status = number<std::uint32_t>(a);
      entry.seen_reply = (status & IPS_SEEN_REPLY) != 0;
      entry.assured = (status & IPS_ASSURED) != 0;
      return;
    }
    case CTA_TIMESTAMP:
      return for_each_attribute(a.data, a.size, [&](const Attribute& part) {
        if (part.type == CTA_TIMESTAMP_START)
          entry.began_ns = static_cast<std::int64_t>(number<std::uint64_t>(part));
      });
    default:
      return;
  }
}

}  // namespace

std::optional<ConntrackMessage> parse_conntrack(std::string_view message) {
  nlmsghdr head{};
  if (message.size() < sizeof(head)) return std::nullopt;
  std::memcpy(&head, message.data(), sizeof(head));
  ConntrackMessage out;
  out.sequence = head.nlmsg_seq;
  if (head.nlmsg_type == NLMSG_DONE) {
    out.kind = ConntrackMessage::Kind::done;
    return out;
  }
  if (head.nlmsg_type == NLMSG_ERROR) {
    int error = 0;
    if (message.size() < sizeof(head) + sizeof(error)) return std::nullopt;
    std::memcpy(&error, message.data() + sizeof(head), sizeof(error));
    out.kind = ConntrackMessage::Kind::failed;
    out.error = error < 0 && error > -4096 ? -error : 0;
    return out;
  }
  if ((head.nlmsg_type != kNew && head.nlmsg_type != kDelete) || message.size() < kHead) return std::nullopt;
  out.kind = head.nlmsg_type == kNew ? ConntrackMessage::Kind::entry : ConntrackMessage::Kind::destroyed;
  const std::string_view attributes = message.substr(kHead);
  for_each_attribute(attributes.data(), attributes.size(),
                     [&](const Attribute& a) { read_attribute(a, out.entry); });
  return out;
}

}  // namespace podshark::kernel
