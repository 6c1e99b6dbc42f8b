// SPDX-License-Identifier: GPL-2.0-or-later
// Messages of connection tracking as the kernel sends them, made by hand.
#pragma once

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "podman/core/ip_address.h"
#include "tests/unit/netlink_messages.h"

namespace podshark::kernel::test {

using podshark::test::attribute;
using podshark::test::big;

inline std::string nested(unsigned type, const std::string& value) {
  return attribute(type | NLA_F_NESTED, value);
}

inline std::string bytes_of(const std::string& text) {
  const auto address = IpAddress::parse(text);
  const std::size_t skip = address->is_v4() ? 12 : 0;
  return {reinterpret_cast<const char*>(address->bytes.data()) + skip, 16 - skip};
}

inline std::string tuple(unsigned type, const std::string& src, unsigned sport, const std::string& dst,
                         unsigned dport, unsigned protocol = 6) {
  const bool v4 = IpAddress::parse(src)->is_v4();
  const std::string ip = attribute(v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, bytes_of(src)) +
                         attribute(v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, bytes_of(dst));
  std::string proto = attribute(CTA_PROTO_NUM, big(protocol, 1));
  if (protocol != 1)
    proto += attribute(CTA_PROTO_SRC_PORT, big(sport, 2)) + attribute(CTA_PROTO_DST_PORT, big(dport, 2));
  return nested(type, nested(CTA_TUPLE_IP, ip) + nested(CTA_TUPLE_PROTO, proto));
}

inline std::string message(unsigned type, std::uint32_t sequence, const std::string& body) {
  nlmsghdr head{};
  head.nlmsg_len = static_cast<std::uint32_t>(sizeof(head) + 4 + body.size());
  head.nlmsg_type = static_cast<std::uint16_t>(type);
  head.nlmsg_seq = sequence;
  std::string out(reinterpret_cast<const char*>(&head), sizeof(head));
  return out + std::string(4, '\0') + body;
}

inline std::string conntrack(unsigned type, std::uint32_t sequence, const std::string& body) {
  return message(NFNL_SUBSYS_CTNETLINK << 8U | type, sequence, body);
}

}  // namespace podshark::kernel::test
