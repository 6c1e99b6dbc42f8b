// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

namespace podshark::plugin {

Address parse_ip(const std::string& text) {
  const std::string bare = text.substr(0, text.find('/'));
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET, bare.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (::inet_pton(AF_INET6, bare.c_str(), bytes.data()) == 1) return {bytes.data(), 16};
  return {};
}

std::string to_text(const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (address.length != 4 && address.length != 16) return {};
  const int family = address.length == 4 ? AF_INET : AF_INET6;
  return ::inet_ntop(family, address.bytes.data(), out.data(), out.size()) == nullptr ? "" : out.data();
}

}  // namespace podshark::plugin
