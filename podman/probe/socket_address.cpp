// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/probe/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

namespace podshark::probe {

SocketAddress to_sockaddr(const Endpoint& endpoint) {
  SocketAddress out;
  if (endpoint.address.is_v4()) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(endpoint.port);
    std::memcpy(&to.sin_addr, &endpoint.address.bytes[12], sizeof(to.sin_addr));
    std::memcpy(&out.storage, &to, sizeof(to));
    out.length = sizeof(to);
  } else {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(endpoint.port);
    std::memcpy(&to.sin6_addr, endpoint.address.bytes.data(), sizeof(to.sin6_addr));
    std::memcpy(&out.storage, &to, sizeof(to));
    out.length = sizeof(to);
  }
  return out;
}

Endpoint from_sockaddr(const sockaddr* address) {
  Endpoint out;
  if (address->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof(in));
    out.address = IpAddress::v4(reinterpret_cast<const std::uint8_t*>(&in.sin_addr));
    out.port = ntohs(in.sin_port);
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof(in));
    out.address = IpAddress::v6(in.sin6_addr.s6_addr);
    out.port = ntohs(in.sin6_port);
  }
  return out;
}

const char* to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp:
      return "tcp";
    case Protocol::udp:
      return "udp";
    case Protocol::icmp:
      return "icmp";
    case Protocol::dns:
      return "dns";
    case Protocol::path_mtu:
      return "mtu";
  }
  return "";
}

std::string to_string(const Endpoint& endpoint) {
  const std::string address = endpoint.address.text();
  if (endpoint.port == 0) return address;
  return (endpoint.address.is_v4() ? address : "[" + address + "]") + ":" + std::to_string(endpoint.port);
}

}  // namespace podshark::probe
