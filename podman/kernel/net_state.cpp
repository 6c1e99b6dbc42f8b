// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/net_state.h"

#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "podman/kernel/netlink.h"

namespace podshark::kernel {
namespace {

constexpr std::uint32_t kLocalTable = RT_TABLE_LOCAL;

// The fixed part of a message and its attributes; false when it is of another type or too short.
template <typename Body>
bool open_message(const nlmsghdr& header, std::uint16_t type, Body& body,
                  const std::function<void(const Attribute&)>& visit) {
  const std::size_t head = sizeof(nlmsghdr) + aligned(sizeof(Body));
  if (header.nlmsg_type != type || header.nlmsg_len < head) return false;
  const char* data = reinterpret_cast<const char*>(&header);
  std::memcpy(&body, data + sizeof(nlmsghdr), sizeof(Body));
  for_each_attribute(data + head, header.nlmsg_len - head, visit);
  return true;
}

template <typename T>
void take(const Attribute& a, T& out) {
  if (a.size >= sizeof(T)) std::memcpy(&out, a.data, sizeof(T));
}

std::optional<IpAddress> address_of(const Attribute& a) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(a.data);
  if (a.size == 4) return IpAddress::v4(bytes);
  if (a.size == 16) return IpAddress::v6(bytes);
  return std::nullopt;
}

std::string mac_of(const Attribute& a) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < a.size && a.size <= 8; ++i) {
    const auto byte = static_cast<unsigned char>(a.data[i]);
    if (i > 0) out += ':';
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 0xFU];
  }
  return out;
}

void add_route(const nlmsghdr& header, std::vector<model::Route>& out) {
  model::Route route;
  rtmsg body{};
  if (!open_message(header, RTM_NEWROUTE, body, [&](const Attribute& a) {
        if (a.type == RTA_DST) route.destination = address_of(a).value_or(IpAddress{});
        if (a.type == RTA_GATEWAY) route.gateway = address_of(a);
        if (a.type == RTA_OIF) take(a, route.oif);
        if (a.type == RTA_TABLE) take(a, route.table);
        if (a.type == RTA_PRIORITY) take(a, route.metric);
      })) {
    return;
  }
  route.v6 = body.rtm_family == AF_INET6;
  route.prefix = body.rtm_dst_len;
  route.type = body.rtm_type;
  if (route.table == 0) route.table = body.rtm_table;
  const bool ip = route.v6 || body.rtm_family == AF_INET;
  if (ip && route.table != kLocalTable && out.size() < kMaxEntries) out.push_back(route);
}

void add_neighbour(const nlmsghdr& header, std::vector<model::Neighbour>& out) {
  std::optional<IpAddress> address;
  model::Neighbour neighbour;
  ndmsg body{};
  if (!open_message(header, RTM_NEWNEIGH, body, [&](const Attribute& a) {
        if (a.type == NDA_DST) address = address_of(a);
        if (a.type == NDA_LLADDR) neighbour.mac = mac_of(a);
      })) {
    return;
  }
  if (!address || (body.ndm_state & NUD_NOARP) != 0 || out.size() == kMaxEntries) return;
  neighbour.ifindex = body.ndm_ifindex;
  neighbour.address = *address;
  neighbour.state = body.ndm_state;
  out.push_back(neighbour);
}

// IPV4_DEVCONF_* count from 1, DEVCONF_* of IPv6 from 0.
std::optional<int> entry(const Attribute& table, std::size_t index) {
  std::int32_t value = 0;
  if (table.size < (index + 1) * sizeof(value)) return std::nullopt;
  std::memcpy(&value, table.data + index * sizeof(value), sizeof(value));
  return value;
}

void read_families(const Attribute& families, model::LinkSettings& out) {
  for_each_attribute(families.data, families.size, [&](const Attribute& family) {
    for_each_attribute(family.data, family.size, [&](const Attribute& a) {
      if (family.type == AF_INET && a.type == IFLA_INET_CONF) {
        out.forwarding = entry(a, IPV4_DEVCONF_FORWARDING - 1);
        out.rp_filter = entry(a, IPV4_DEVCONF_RP_FILTER - 1);
        out.route_localnet = entry(a, IPV4_DEVCONF_ROUTE_LOCALNET - 1);
      }
      if (family.type == AF_INET6 && a.type == IFLA_INET6_CONF) {
        out.accept_ra = entry(a, DEVCONF_ACCEPT_RA);
      }
    });
  });
}

void read_port(const Attribute& info, model::LinkSettings& out) {
  for_each_attribute(info.data, info.size, [&](const Attribute& a) {
    if (a.type != IFLA_INFO_SLAVE_DATA) return;
    for_each_attribute(a.data, a.size, [&](const Attribute& port) {
      if (port.type == IFLA_BRPORT_MODE && port.size >= 1) out.hairpin = port.data[0] != 0;
    });
  });
}

void add_link(const nlmsghdr& header, std::vector<model::LinkSettings>& out) {
  model::LinkSettings link;
  ifinfomsg body{};
  const bool ours = open_message(header, RTM_NEWLINK, body, [&](const Attribute& a) {
    if (a.type == IFLA_AF_SPEC) read_families(a, link);
    if (a.type == IFLA_LINKINFO) read_port(a, link);
  });
  link.ifindex = body.ifi_index;
  if (ours && out.size() < kMaxEntries) out.push_back(link);
}

void add_conf(const nlmsghdr& header, model::AllSettings& out) {
  std::int32_t ifindex = 0;
  std::optional<int> forwarding, rp_filter;
  const auto number = [](const Attribute& a) {
    std::int32_t value = 0;
    take(a, value);
    return value;
  };
  netconfmsg body{};
  const bool ours = open_message(header, RTM_NEWNETCONF, body, [&](const Attribute& a) {
    if (a.type == NETCONFA_IFINDEX) ifindex = number(a);
    if (a.type == NETCONFA_FORWARDING) forwarding = number(a);
    if (a.type == NETCONFA_RP_FILTER) rp_filter = number(a);
  });
  if (!ours || ifindex != NETCONFA_IFINDEX_ALL) return;
  if (body.ncm_family == AF_INET) {
    out.forwarding = forwarding;
    out.rp_filter = rp_filter;
  }
  if (body.ncm_family == AF_INET6) out.forwarding6 = forwarding;
}

struct RouteRequest {
  nlmsghdr header{};
  rtmsg body{};
  std::array<char, 20> attributes{};  // RTA_DST of 16 bytes
};

void append(RouteRequest& request, unsigned short type, const IpAddress& address) {
  const bool v4 = address.is_v4();
  rtattr a{};
  a.rta_type = type;
  a.rta_len = static_cast<unsigned short>(sizeof(a) + (v4 ? 4U : 16U));
  char* at = reinterpret_cast<char*>(&request) + request.header.nlmsg_len;
  std::memcpy(at, &a, sizeof(a));
  std::memcpy(at + sizeof(a), address.bytes.data() + (v4 ? 12 : 0), a.rta_len - sizeof(a));
  request.header.nlmsg_len += a.rta_len;
}

}  // namespace

Result<model::NetState> net_state(int fd) {
  model::NetState out;
  if (Status s = dump(fd, RTM_GETLINK, [&](const nlmsghdr& m) { add_link(m, out.links); }); !s)
    return s.error();
  if (Status s = dump(fd, RTM_GETROUTE, [&](const nlmsghdr& m) { add_route(m, out.routes); }); !s)
    return s.error();
  if (Status s = dump(fd, RTM_GETNEIGH, [&](const nlmsghdr& m) { add_neighbour(m, out.neighbours); }); !s)
    return s.error();
  // Kernels without this dump leave the values unknown.
  (void)dump(fd, RTM_GETNETCONF, [&](const nlmsghdr& m) { add_conf(m, out.all); });
  return out;
}

model::RouteAnswer route_to(int fd, const IpAddress& to) {
  static constexpr std::uint32_t kSequence = 0x70735254;  // no dump's: those count from 1
  model::RouteAnswer out;
  out.to = to;
  RouteRequest request;
  request.header.nlmsg_len = sizeof(request.header) + sizeof(request.body);
  request.header.nlmsg_type = RTM_GETROUTE;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.header.nlmsg_seq = kSequence;
  request.body.rtm_family = to.is_v4() ? AF_INET : AF_INET6;
  request.body.rtm_dst_len = to.is_v4() ? 32 : 128;
  append(request, RTA_DST, to);
  const Result<std::vector<char>> answer = ask(fd, &request, request.header.nlmsg_len, kSequence);
  if (!answer) {
    out.error = EIO;
    return out;
  }
  const auto& header = *reinterpret_cast<const nlmsghdr*>(answer->data());
  if (header.nlmsg_type == NLMSG_ERROR) {
    out.error = error_of(header);
    return out;
  }
  rtmsg body{};
  (void)open_message(header, RTM_NEWROUTE, body, [&](const Attribute& a) {
    if (a.type == RTA_OIF) take(a, out.oif);
    if (a.type == RTA_GATEWAY) out.gateway = address_of(a);
  });
  return out;
}

}  // namespace podshark::kernel
