// SPDX-License-Identifier: GPL-2.0-or-later
// Trace messages as the kernel sends them, made by hand.
#pragma once

#include <linux/netlink.h>
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "podman/trace/message.h"
#include "tests/unit/netlink_messages.h"

namespace podshark::trace::test {

using podshark::test::attribute;
using podshark::test::big;

inline std::string number(unsigned type, std::uint32_t value) {
  return attribute(type, big(value, 4));
}

inline std::string text(unsigned type, const std::string& value) {
  return attribute(type, value + '\0');
}

inline std::string message(unsigned subsystem, unsigned type, unsigned char family, const std::string& body) {
  nlmsghdr head{};
  head.nlmsg_len = static_cast<std::uint32_t>(sizeof(head) + 4 + body.size());
  head.nlmsg_type = static_cast<std::uint16_t>(subsystem << 8U | type);
  std::string out(reinterpret_cast<const char*>(&head), sizeof(head));
  out += static_cast<char>(family);
  return out + std::string(3, '\0') + body;
}

inline std::string ipv4(const std::string& src, const std::string& dst, unsigned protocol, unsigned id) {
  std::string out = big(0x45, 1) + big(0, 1) + big(60, 2) + big(id, 2) + big(0x4000, 2) + big(64, 1) +
                    big(protocol, 1) + big(0, 2);
  for (const std::string& a : {src, dst}) {
    const auto address = IpAddress::parse(a);
    out.append(reinterpret_cast<const char*>(address->bytes.data()) + 12, 4);
  }
  return out;
}

inline std::string tcp(unsigned sport, unsigned dport, std::uint32_t seq, unsigned flags) {
  return big(sport, 2) + big(dport, 2) + big(seq, 4) + big(0, 4) + big(0xA0, 1) + big(flags, 1) + big(0, 6);
}

struct Made {
  unsigned char family = NFPROTO_IPV4;
  std::string table;
  std::string chain;
  std::uint32_t id = 1;
  std::uint32_t type = NFT_TRACETYPE_RULE;
  std::uint64_t handle = 0;
  std::int32_t verdict = NFT_CONTINUE;
  std::string target = {};
  std::string network = {};
  std::string transport = {};
};

inline std::string nft_trace(const Made& m) {
  std::string body = text(NFTA_TRACE_TABLE, m.table) + text(NFTA_TRACE_CHAIN, m.chain) +
                     number(NFTA_TRACE_ID, m.id) + number(NFTA_TRACE_TYPE, m.type);
  if (m.handle != 0) body += attribute(NFTA_TRACE_RULE_HANDLE, big(m.handle, 8));
  const auto code = static_cast<std::uint32_t>(m.verdict);
  if (m.type == NFT_TRACETYPE_POLICY) {
    body += number(NFTA_TRACE_POLICY, code);
  } else {
    std::string verdict = number(NFTA_VERDICT_CODE, code);
    if (!m.target.empty()) verdict += text(NFTA_VERDICT_CHAIN, m.target);
    body += attribute(NFTA_TRACE_VERDICT | NLA_F_NESTED, verdict);
  }
  if (!m.network.empty()) {
    body += attribute(NFTA_TRACE_NETWORK_HEADER, m.network) +
            attribute(NFTA_TRACE_TRANSPORT_HEADER, m.transport) + number(NFTA_TRACE_IIF, 7);
  }
  return message(NFNL_SUBSYS_NFTABLES, NFT_MSG_TRACE, m.family, body);
}

inline std::string legacy_trace(const std::string& line, unsigned hook, const std::string& packet) {
  std::string head = big(0x0800, 2) + big(hook, 1) + big(0, 1);
  const std::string body = attribute(NFULA_PACKET_HDR, head) + text(NFULA_PREFIX, line) +
                           number(NFULA_IFINDEX_INDEV, 7) + attribute(NFULA_PAYLOAD, packet);
  return message(NFNL_SUBSYS_ULOG, NFULNL_MSG_PACKET, NFPROTO_IPV4, body);
}

}  // namespace podshark::trace::test
