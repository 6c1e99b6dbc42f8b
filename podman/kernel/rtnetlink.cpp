// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/rtnetlink.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "podman/kernel/netlink.h"

namespace podshark::kernel {
namespace {

std::string mac_text(const Attribute& a) {
  std::string out;
  for (std::size_t i = 0; i < a.size && a.size <= 8; ++i) {
    static constexpr char kDigits[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(a.data[i]);
    if (i > 0) out += ':';
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 0xFU];
  }
  return out.find_first_not_of("0:") == std::string::npos ? std::string() : out;
}

std::string text_of(const Attribute& a) {
  return {a.data, strnlen(a.data, a.size)};
}

void add_link(const nlmsghdr& header, std::vector<model::Link>& links) {
  if (header.nlmsg_type != RTM_NEWLINK || header.nlmsg_len < sizeof(nlmsghdr) + sizeof(ifinfomsg)) return;
  const char* body = reinterpret_cast<const char*>(&header) + sizeof(nlmsghdr);
  ifinfomsg info{};
  std::memcpy(&info, body, sizeof(info));
  model::Link link;
  link.ifindex = info.ifi_index;
  link.arphrd = info.ifi_type;
  link.flags = info.ifi_flags;
  const std::size_t used = sizeof(nlmsghdr) + aligned(sizeof(ifinfomsg));
  for_each_attribute(body + aligned(sizeof(info)), header.nlmsg_len - used, [&](const Attribute& a) {
    if (a.type == IFLA_IFNAME) link.name = text_of(a);
    if (a.type == IFLA_ADDRESS) link.mac = mac_text(a);
    if (a.type == IFLA_MTU && a.size >= 4) std::memcpy(&link.mtu, a.data, 4);
    if (a.type == IFLA_MASTER && a.size >= 4) std::memcpy(&link.master, a.data, 4);
    if (a.type == IFLA_LINK && a.size >= 4) std::memcpy(&link.peer, a.data, 4);
    if (a.type == IFLA_LINK_NETNSID && a.size >= 4) std::memcpy(&link.peer_nsid, a.data, 4);
    if (a.type == IFLA_LINKINFO) {
      for_each_attribute(a.data, a.size, [&](const Attribute& nested) {
        if (nested.type == IFLA_INFO_KIND) link.kind = text_of(nested);
      });
    }
  });
  links.push_back(std::move(link));
}

void add_address(const nlmsghdr& header, std::vector<model::Link>& links) {
  if (header.nlmsg_type != RTM_NEWADDR || header.nlmsg_len < sizeof(nlmsghdr) + sizeof(ifaddrmsg)) return;
  const char* body = reinterpret_cast<const char*>(&header) + sizeof(nlmsghdr);
  ifaddrmsg info{};
  std::memcpy(&info, body, sizeof(info));
  if (info.ifa_scope == RT_SCOPE_LINK) return;
  std::string text;
  const std::size_t wanted = info.ifa_family == AF_INET ? 4 : 16;
  const auto take = [&](const Attribute& a) {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    if (a.size == wanted && ::inet_ntop(info.ifa_family, a.data, buffer.data(), buffer.size()) != nullptr) {
      text = buffer.data();
    }
  };
  const std::size_t used = sizeof(nlmsghdr) + aligned(sizeof(ifaddrmsg));
  for_each_attribute(body + aligned(sizeof(info)), header.nlmsg_len - used, [&](const Attribute& a) {
    // On point-to-point links IFA_ADDRESS is the peer; IFA_LOCAL, where present, is ours.
    if (a.type == IFA_LOCAL || (a.type == IFA_ADDRESS && text.empty())) take(a);
  });
  for (model::Link& link : links) {
    if (static_cast<unsigned>(link.ifindex) == info.ifa_index && !text.empty()) {
      link.addresses.push_back(text + "/" + std::to_string(info.ifa_prefixlen));
    }
  }
}

}  // namespace

Result<std::vector<model::Link>> list_links(int netlink_fd) {
  std::vector<model::Link> links;
  const Status got_links =
      dump(netlink_fd, RTM_GETLINK, [&](const nlmsghdr& header) { add_link(header, links); });
  if (!got_links) return got_links.error();
  const Status got_addresses =
      dump(netlink_fd, RTM_GETADDR, [&](const nlmsghdr& header) { add_address(header, links); });
  if (!got_addresses) return got_addresses.error();
  std::sort(links.begin(), links.end(), [](const auto& a, const auto& b) { return a.ifindex < b.ifindex; });
  return links;
}

Status subscribe_links(int netlink_fd) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (::bind(netlink_fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return os_error(errno, "subscribe to link changes");
  }
  return ok();
}

bool drain_changes(int netlink_fd) {
  std::array<char, 8192> buffer{};
  bool changed = false;
  for (;;) {
    const ssize_t n = ::recv(netlink_fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n > 0 || (n < 0 && errno == ENOBUFS)) {
      changed = true;
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    return changed;
  }
}

}  // namespace podshark::kernel
