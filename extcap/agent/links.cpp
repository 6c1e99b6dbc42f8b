// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/agent/links.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace podshark::agent {
namespace {

constexpr std::size_t kAnswerSize = 32768;  // the kernel's largest part of a dump
constexpr unsigned kTypeBits = 0x3FFF;      // NLA_TYPE_MASK

std::size_t aligned(std::size_t n) {
  return (n + 3) & ~std::size_t{3};
}

// Calls visit(type, data, size) for each attribute, up to the first impossible length.
template <typename Visit>
void each_attribute(const std::uint8_t* data, std::size_t size, const Visit& visit) {
  while (size >= sizeof(rtattr)) {
    rtattr head;
    memcpy(&head, data, sizeof(head));
    if (head.rta_len < sizeof(head) || head.rta_len > size) return;
    visit(head.rta_type & kTypeBits, data + sizeof(head), head.rta_len - sizeof(head));
    if (aligned(head.rta_len) >= size) return;
    data += aligned(head.rta_len);
    size -= aligned(head.rta_len);
  }
}

void take_name(const std::uint8_t* data, std::size_t size, Link* link) {
  std::size_t n = 0;
  for (; n < size && n + 1 < sizeof(link->name) && data[n] != 0; ++n)
    link->name[n] = static_cast<char>(data[n]);
  link->name[n] = '\0';
}

void take_mac(const std::uint8_t* data, std::size_t size, Link* link) {
  bool any = false;
  for (std::size_t i = 0; i < size; ++i) any = any || data[i] != 0;
  if (!any || size > sizeof(link->mac)) return;
  memcpy(link->mac, data, size);
  link->mac_size = size;
}

void add_link(const std::uint8_t* body, std::size_t size, LinkList* out) {
  ifinfomsg info;
  if (size < sizeof(info)) return;
  if (out->count == kMaxLinks) {
    out->cut = true;
    return;
  }
  memcpy(&info, body, sizeof(info));
  Link& link = out->links[out->count++];
  link = Link{};
  link.ifindex = info.ifi_index;
  link.type = info.ifi_type;
  link.flags = info.ifi_flags;
  each_attribute(body + sizeof(info), size - sizeof(info),
                 [&](unsigned type, const std::uint8_t* data, std::size_t length) {
                   if (type == IFLA_IFNAME) take_name(data, length, &link);
                   if (type == IFLA_ADDRESS) take_mac(data, length, &link);
                 });
}

void append_address(Link* link, const char* text, unsigned prefix) {
  Line line;
  if (link->address_size != 0) line.add(",");
  line.add(text).add("/").add(prefix);
  const wire::Text added = line.text();
  if (link->address_size + added.size > sizeof(link->addresses)) return;
  memcpy(link->addresses + link->address_size, added.data, added.size);
  link->address_size += added.size;
}

void add_address(const std::uint8_t* body, std::size_t size, LinkList* out) {
  ifaddrmsg info;
  if (size < sizeof(info)) return;
  memcpy(&info, body, sizeof(info));
  if (info.ifa_scope == RT_SCOPE_LINK) return;
  char text[INET6_ADDRSTRLEN] = "";
  const std::size_t wanted = info.ifa_family == AF_INET ? 4 : 16;
  each_attribute(body + sizeof(info), size - sizeof(info),
                 [&](unsigned type, const std::uint8_t* data, std::size_t length) {
                   // On point-to-point links IFA_ADDRESS is the peer; IFA_LOCAL, where present, is ours.
                   if (length == wanted && (type == IFA_LOCAL || (type == IFA_ADDRESS && text[0] == '\0')))
                     (void)inet_ntop(info.ifa_family, data, text, sizeof(text));
                 });
  for (std::size_t i = 0; i < out->count && text[0] != '\0'; ++i) {
    if (static_cast<unsigned>(out->links[i].ifindex) == info.ifa_index)
      append_address(&out->links[i], text, info.ifa_prefixlen);
  }
}

int dump(int fd, std::uint16_t type, std::uint32_t sequence, LinkList* out) {
  struct {
    nlmsghdr head;
    ifinfomsg body;  // its first byte is the family, as in every request of rtnetlink
  } request{};
  request.head.nlmsg_len = sizeof(request);
  request.head.nlmsg_type = type;
  request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.head.nlmsg_seq = sequence;
  const timeval patience{1, 0};
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  if (send(fd, &request, sizeof(request), 0) < 0) return -errno;
  alignas(nlmsghdr) std::uint8_t buffer[kAnswerSize];
  for (;;) {
    const ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN ? -ETIMEDOUT : -errno;
    const int got = read_answer(buffer, static_cast<std::size_t>(n), sequence, out);
    if (got != 0) return got < 0 ? got : 0;
  }
}

}  // namespace

int read_answer(const void* datagram, std::size_t size, std::uint32_t sequence, LinkList* out) {
  const auto* at = static_cast<const std::uint8_t*>(datagram);
  while (size >= sizeof(nlmsghdr)) {
    nlmsghdr head;
    memcpy(&head, at, sizeof(head));
    if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > size) return -EBADMSG;
    const std::uint8_t* body = at + sizeof(head);
    const std::size_t length = head.nlmsg_len - sizeof(head);
    if (head.nlmsg_seq == sequence) {  // else of a dump that was given up
      if (head.nlmsg_type == NLMSG_DONE) return 1;
      if (head.nlmsg_type == NLMSG_ERROR) {
        int error = -EBADMSG;
        if (length >= sizeof(error)) memcpy(&error, body, sizeof(error));
        return error < 0 ? error : 1;
      }
      if (head.nlmsg_type == RTM_NEWLINK) add_link(body, length, out);
      if (head.nlmsg_type == RTM_NEWADDR) add_address(body, length, out);
    }
    if (aligned(head.nlmsg_len) >= size) break;
    at += aligned(head.nlmsg_len);
    size -= aligned(head.nlmsg_len);
  }
  return 0;
}

int list_links(int fd, LinkList* out) {
  static std::uint32_t sequence = 0;
  out->count = 0;
  out->cut = false;
  const int links = dump(fd, RTM_GETLINK, ++sequence, out);
  return links != 0 ? links : dump(fd, RTM_GETADDR, ++sequence, out);
}

int subscribe_links(int fd) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  return bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ? 0 : -errno;
}

void drain_changes(int fd) {
  std::uint8_t buffer[8192];
  for (;;) {
    const ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    // ENOBUFS: more changes than it holds; the list is read anew anyway.
    if (n < 0 && errno != EINTR && errno != ENOBUFS) return;
  }
}

void describe(const Link& link, Line* out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out->add("type=").add(link.type);
  for (std::size_t i = 0; i < link.mac_size; ++i) {
    const char pair[2] = {kDigits[link.mac[i] >> 4U], kDigits[link.mac[i] & 15U]};
    out->add(i == 0 ? " mac=" : ":").add(pair, sizeof(pair));
  }
  if (link.address_size != 0) out->add(" address=").add(link.addresses, link.address_size);
}

}  // namespace podshark::agent
