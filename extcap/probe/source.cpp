// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/probe/source.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <map>
#include <utility>

#include "podman/probe/socket_address.h"

namespace podshark::extcap::probing {
namespace {

Result<UniqueFd> open_here(const SocketWish& wish) {
  const int family = wish.v4 ? AF_INET : AF_INET6;
  const int type = wish.kind == SocketKind::tcp ? SOCK_STREAM : SOCK_DGRAM;
  const int icmp = wish.v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
  const bool echo = wish.kind == SocketKind::icmp;
  UniqueFd fd(::socket(family, type | SOCK_CLOEXEC, echo ? icmp : 0));
  if (!fd && echo && (errno == EACCES || errno == EPERM))
    fd.reset(::socket(family, SOCK_RAW | SOCK_CLOEXEC, icmp));
  if (fd) return fd;
  if (echo && (errno == EACCES || errno == EPERM)) {
    return Error{ErrorKind::unsupported, "your group may not send echo requests",
                 "run it as root, or: sysctl net.ipv4.ping_group_range='0 2147483647'"};
  }
  const bool no_v6 = errno == EAFNOSUPPORT;
  return os_error(errno, "open a socket", no_v6 ? "IPv6 is switched off" : "",
                  no_v6 ? ErrorKind::unsupported : ErrorKind::internal);
}

std::uint32_t* count_of(worker::ProbeSockets& counts, const SocketWish& wish) {
  auto& pair = wish.kind == SocketKind::tcp   ? counts.tcp
               : wish.kind == SocketKind::udp ? counts.udp
                                              : counts.icmp;
  return &pair[wish.v4 ? 0 : 1];
}

// The worker's order: TCP, UDP, ICMP, of each IPv4 first.
std::pair<int, int> place_of(const SocketWish& wish) {
  return {static_cast<int>(wish.kind), wish.v4 ? 0 : 1};
}

}  // namespace

std::string Source::proc() const {
  return pid == 0 ? "/proc/self" : "/proc/" + std::to_string(pid);
}

SocketKind socket_kind(probe::Protocol protocol) {
  switch (protocol) {
    case probe::Protocol::tcp:
      return SocketKind::tcp;
    case probe::Protocol::icmp:
    case probe::Protocol::path_mtu:
      return SocketKind::icmp;
    default:
      return SocketKind::udp;
  }
}

Result<std::vector<UniqueFd>> open_sockets(WorkerClient& worker, const Source& source,
                                           const std::vector<SocketWish>& wishes) {
  std::vector<UniqueFd> out;
  if (source.host()) {
    for (const SocketWish& wish : wishes) {
      Result<UniqueFd> fd = open_here(wish);
      if (!fd) return fd.error();
      out.push_back(std::move(*fd));
    }
    return out;
  }
  SocketCounts counts;
  std::multimap<std::pair<int, int>, std::size_t> order;  // as the reply has them → index of the wish
  for (std::size_t i = 0; i < wishes.size(); ++i) {
    ++*count_of(counts.probe, wishes[i]);
    order.emplace(place_of(wishes[i]), i);
  }
  Result<NetnsSockets> sockets = worker.open(source.netns, counts);
  if (!sockets) return sockets.error();
  if (sockets->probe.size() != wishes.size())
    return Error{ErrorKind::internal, "the worker answered with another number of sockets", {}};
  out.resize(wishes.size());
  std::size_t next = 0;
  for (const auto& [place, index] : order) out[index] = std::move(sockets->probe[next++]);
  return out;
}

Result<IpAddress> local_address(const IpAddress& to) {
  const UniqueFd fd(::socket(to.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return os_error(errno, "open a socket");
  // Nothing is sent: the kernel only chooses a route and an address.
  const probe::SocketAddress there = probe::to_sockaddr({to, 9});
  sockaddr_storage name{};
  socklen_t length = sizeof(name);
  if (::connect(fd.get(), there.get(), there.length) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &length) != 0) {
    return os_error(errno, "there is no route to " + to.text(), {}, ErrorKind::unsupported);
  }
  return probe::from_sockaddr(reinterpret_cast<const sockaddr*>(&name)).address;
}

Result<IpAddress> host_address() {
  const std::array<std::uint8_t, 4> nobody{192, 0, 2, 1};  // RFC 5737
  Result<IpAddress> own = local_address(IpAddress::v4(nobody.data()));
  if (own || own.error().kind != ErrorKind::unsupported) return own;
  return Error{ErrorKind::unsupported, "the host has no default route", "name an address of the host"};
}

}  // namespace podshark::extcap::probing
