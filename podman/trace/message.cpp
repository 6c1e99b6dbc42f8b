// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/trace/message.h"

#include <netinet/in.h>  // before the kernel's own headers, which know it then

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>

#include <algorithm>
#include <cstring>

#include "podman/core/text.h"
#include "podman/kernel/netlink.h"

namespace podshark::trace {
namespace {

using firewall::Family;
using firewall::Hook;
using kernel::Attribute;
using kernel::number;

constexpr std::size_t kHead = sizeof(nlmsghdr) + sizeof(nfgenmsg);

std::string text(const Attribute& a) {
  return {a.data, ::strnlen(a.data, std::min(a.size, firewall::kMaxName))};
}

Family family_of(std::uint8_t number) {
  switch (number) {
    case NFPROTO_IPV4:
      return Family::ip;
    case NFPROTO_IPV6:
      return Family::ip6;
    case NFPROTO_INET:
      return Family::inet;
    case NFPROTO_ARP:
      return Family::arp;
    case NFPROTO_NETDEV:
      return Family::netdev;
    case NFPROTO_BRIDGE:
      return Family::bridge;
    default:
      return Family::any;
  }
}

Verdict verdict_of(std::uint32_t code) {
  switch (static_cast<std::int32_t>(code)) {
    case NFT_CONTINUE:
    case NFT_BREAK:
      return Verdict::go_on;
    case NFT_JUMP:
      return Verdict::jump;
    case NFT_GOTO:
      return Verdict::go_to;
    case NFT_RETURN:
      return Verdict::ret;
    default:
      break;
  }
  switch (code & NF_VERDICT_MASK) {  // above it: the queue's number, an errno
    case NF_DROP:
      return Verdict::drop;
    case NF_ACCEPT:
      return Verdict::accept;
    case NF_STOLEN:
      return Verdict::stolen;
    case NF_QUEUE:
      return Verdict::queue;
    default:
      return Verdict::none;
  }
}

Hook hook_of(std::uint8_t number) {
  constexpr Hook kHooks[] = {Hook::prerouting, Hook::input, Hook::forward, Hook::output, Hook::postrouting};
  return number < std::size(kHooks) ? kHooks[number] : Hook::none;
}

void read_verdict(const Attribute& nested, Event& out) {
  kernel::for_each_attribute(nested.data, nested.size, [&](const Attribute& a) {
    if (a.type == NFTA_VERDICT_CODE && a.size >= sizeof(std::uint32_t))
      out.verdict = verdict_of(number<std::uint32_t>(a));
    if (a.type == NFTA_VERDICT_CHAIN) out.target = text(a);
  });
}

std::optional<Event::Type> type_of(std::uint32_t number) {
  switch (number) {
    case NFT_TRACETYPE_RULE:
      return Event::Type::rule;
    case NFT_TRACETYPE_RETURN:
      return Event::Type::ret;
    case NFT_TRACETYPE_POLICY:
      return Event::Type::policy;
    default:
      return std::nullopt;
  }
}

std::optional<Event> read_nft(std::uint8_t family, std::string_view attributes) {
  Event out;
  out.family = family_of(family);
  std::optional<Event::Type> type;
  std::string_view network;
  std::string_view transport;
  kernel::for_each_attribute(attributes.data(), attributes.size(), [&](const Attribute& a) {
    switch (a.type) {
      case NFTA_TRACE_TABLE:
        out.table = text(a);
        break;
      case NFTA_TRACE_CHAIN:
        out.chain = text(a);
        break;
      case NFTA_TRACE_RULE_HANDLE:
        out.handle = number<std::uint64_t>(a);
        break;
      case NFTA_TRACE_TYPE:
        type = type_of(number<std::uint32_t>(a));
        break;
      case NFTA_TRACE_VERDICT:
        read_verdict(a, out);
        break;
      case NFTA_TRACE_POLICY:
        out.verdict = verdict_of(number<std::uint32_t>(a));
        break;
      case NFTA_TRACE_ID:
        out.id = number<std::uint32_t>(a);
        break;
      case NFTA_TRACE_IIF:
        out.iif = number<std::uint32_t>(a);
        break;
      case NFTA_TRACE_OIF:
        out.oif = number<std::uint32_t>(a);
        break;
      case NFTA_TRACE_NETWORK_HEADER:
        network = {a.data, a.size};
        break;
      case NFTA_TRACE_TRANSPORT_HEADER:
        transport = {a.data, a.size};
        break;
      default:
        break;
    }
  });
  if (!type) return std::nullopt;
  // The end of a chain comes as a rule without handle.
  out.type = *type == Event::Type::rule && out.handle == 0 ? Event::Type::ret : *type;
  out.headers = parse_headers(network, transport);
  return out;
}

// "TRACE: filter:FORWARD:rule:3 " of net/ipv4/netfilter/ip_tables.c. A chain's name may hold colons.
bool read_line(std::string_view line, Event& out) {
  constexpr std::string_view kBegin = "TRACE: ";
  if (!line.starts_with(kBegin)) return false;
  line = trim(line.substr(kBegin.size()));
  const std::size_t last = line.rfind(':');
  std::uint64_t rule = 0;
  if (last == std::string_view::npos || last == 0 || !parse_number(line.substr(last + 1), UINT32_MAX, rule))
    return false;
  const std::size_t before = line.rfind(':', last - 1);
  const std::size_t first = line.find(':');
  if (before == std::string_view::npos || first >= before) return false;
  const std::string_view word = line.substr(before + 1, last - before - 1);
  if (word != "rule" && word != "return" && word != "policy") return false;
  out.type = word == "rule" ? Event::Type::rule : word == "return" ? Event::Type::ret : Event::Type::policy;
  out.table = std::string(line.substr(0, first).substr(0, firewall::kMaxName));
  out.chain = std::string(line.substr(first + 1, before - first - 1).substr(0, firewall::kMaxName));
  out.number = static_cast<std::uint32_t>(rule);
  return true;
}

std::optional<Event> read_log(std::uint8_t family, std::string_view attributes) {
  Event out;
  out.legacy = true;
  out.family = family_of(family);
  bool traced = false;
  kernel::for_each_attribute(attributes.data(), attributes.size(), [&](const Attribute& a) {
    switch (a.type) {
      case NFULA_PACKET_HDR:
        if (a.size >= sizeof(nfulnl_msg_packet_hdr)) out.hook = hook_of(static_cast<std::uint8_t>(a.data[2]));
        break;
      case NFULA_PREFIX:
        traced = read_line(text(a), out);
        break;
      case NFULA_IFINDEX_INDEV:
        out.iif = number<std::uint32_t>(a);
        break;
      case NFULA_IFINDEX_OUTDEV:
        out.oif = number<std::uint32_t>(a);
        break;
      case NFULA_PAYLOAD:
        out.headers = parse_packet({a.data, a.size});
        break;
      default:
        break;
    }
  });
  if (!traced || !out.headers) return std::nullopt;
  return out;
}

struct Message {
  unsigned type = 0;
  std::uint8_t family = 0;
  std::string_view attributes;
};

std::optional<Message> open(std::string_view message) {
  if (message.size() < kHead) return std::nullopt;
  nlmsghdr head{};
  std::memcpy(&head, message.data(), sizeof(head));
  if (head.nlmsg_len < kHead || head.nlmsg_len > message.size()) return std::nullopt;
  return Message{head.nlmsg_type, static_cast<std::uint8_t>(message[sizeof(head)]),
                 message.substr(kHead, head.nlmsg_len - kHead)};
}

constexpr unsigned kTrace = unsigned{NFNL_SUBSYS_NFTABLES} << 8U | NFT_MSG_TRACE;
constexpr unsigned kNewTable = unsigned{NFNL_SUBSYS_NFTABLES} << 8U | NFT_MSG_NEWTABLE;
constexpr unsigned kLogPacket = unsigned{NFNL_SUBSYS_ULOG} << 8U | NFULNL_MSG_PACKET;

}  // namespace

std::optional<Event> parse_message(std::string_view message) {
  const std::optional<Message> m = open(message);
  if (!m) return std::nullopt;
  if (m->type == kTrace) return read_nft(m->family, m->attributes);
  if (m->type == kLogPacket) return read_log(m->family, m->attributes);
  return std::nullopt;
}

std::string new_table(std::string_view message) {
  const std::optional<Message> m = open(message);
  std::string out;
  if (!m || m->type != kNewTable) return out;
  kernel::for_each_attribute(m->attributes.data(), m->attributes.size(), [&](const Attribute& a) {
    if (a.type == NFTA_TABLE_NAME) out = text(a);
  });
  return out;
}

}  // namespace podshark::trace
