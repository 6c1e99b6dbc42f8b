// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/discover/proc_net.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

#include "podman/core/proc.h"
#include "podman/core/text.h"

namespace podshark::discover {
namespace {

constexpr std::size_t kMaxFile = 1U << 20U;
constexpr std::size_t kMaxLinks = 64;
constexpr std::size_t kMaxAddresses = 64;  // per link

bool parse_hex32(std::string_view text, std::uint32_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return error == std::errc{} && end == text.data() + text.size();
}

std::string ipv4(std::uint32_t address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  const in_addr raw{htonl(address)};
  return ::inet_ntop(AF_INET, &raw, text.data(), text.size()) != nullptr ? text.data() : "";
}

// The link of a local address is that of the narrowest directly connected route containing it.
void place_address(const std::string& text, const std::vector<Route>& routes,
                   std::vector<model::Attachment>& links) {
  in_addr raw{};
  if (::inet_pton(AF_INET, text.c_str(), &raw) != 1) return;
  const std::uint32_t address = ntohl(raw.s_addr);
  const Route* best = nullptr;
  for (const Route& r : routes) {
    const bool covers = r.gateway == 0 && r.mask != 0 && (address & r.mask) == r.destination;
    if (covers && (best == nullptr || r.mask > best->mask)) best = &r;
  }
  // No route names it: certain only when there is one link.
  if (best == nullptr && links.size() != 1) return;
  for (model::Attachment& link : links) {
    if (best != nullptr && link.interface != best->link) continue;
    if (link.addresses.size() == kMaxAddresses) return;
    link.addresses.push_back(best == nullptr ? text : text + "/" + std::to_string(std::popcount(best->mask)));
    return;
  }
}

std::string slurp(pid_t pid, const std::string& proc, const char* file) {
  Result<std::string> text = read_file(proc + "/" + std::to_string(pid) + "/net/" + file, kMaxFile);
  return text ? std::move(*text) : std::string();
}

}  // namespace

std::vector<std::string> parse_fib_trie(std::string_view text) {
  std::vector<std::string> out;
  std::string leaf;
  for (const std::string& raw : split(text, '\n')) {
    const std::string_view line = trim(raw);
    if (line.starts_with("|-- ")) {
      leaf = line.substr(4);
    } else if (line.starts_with("/32 host LOCAL") && !leaf.empty() && !leaf.starts_with("127.") &&
               std::find(out.begin(), out.end(), leaf) == out.end() &&
               out.size() < kMaxAddresses * kMaxLinks) {
      out.push_back(leaf);
    }
  }
  return out;
}

std::vector<Route> parse_routes(std::string_view text) {
  constexpr std::uint32_t kUp = 1;
  std::vector<Route> out;
  for (const std::string& line : split(text, '\n')) {
    const std::vector<std::string> field = split(line, '\t');
    Route r;
    std::uint32_t flags = 0;
    if (field.size() < 8 || !parse_hex32(field[1], r.destination) || !parse_hex32(field[2], r.gateway) ||
        !parse_hex32(field[3], flags) || !parse_hex32(field[7], r.mask) || (flags & kUp) == 0) {
      continue;
    }
    r.link = field[0];
    // The kernel prints the big-endian numbers as if they were the machine's own.
    r.destination = ntohl(r.destination);
    r.gateway = ntohl(r.gateway);
    r.mask = ntohl(r.mask);
    out.push_back(std::move(r));
  }
  return out;
}

std::vector<Address6> parse_if_inet6(std::string_view text) {
  std::vector<Address6> out;
  for (const std::string& line : split(text, '\n')) {
    const std::vector<std::string> field = words(line);  // address index prefix scope flags link
    std::uint32_t prefix = 0;
    if (field.size() != 6 || field[0].size() != 32 || !parse_hex32(field[2], prefix) || field[3] != "00")
      continue;
    in6_addr raw{};
    bool good = prefix <= 128;
    for (std::size_t i = 0; i < 16; ++i) {
      std::uint32_t byte = 0;
      good = good && parse_hex32(std::string_view(field[0]).substr(2 * i, 2), byte);
      raw.s6_addr[i] = static_cast<std::uint8_t>(byte);
    }
    std::array<char, INET6_ADDRSTRLEN> address{};
    if (!good || ::inet_ntop(AF_INET6, &raw, address.data(), address.size()) == nullptr) continue;
    out.push_back({field[5], std::string(address.data()) + "/" + std::to_string(prefix)});
  }
  return out;
}

std::vector<DevCounter> parse_dev(std::string_view text) {
  constexpr std::size_t kReceived = 1;  // bytes packets errs drop fifo frame compressed multicast
  constexpr std::size_t kSent = 9;      // bytes packets …
  std::vector<DevCounter> out;
  for (const std::string& line : split(text, '\n')) {
    const std::size_t colon = line.rfind(':');  // a link name may hold one (old alias style)
    if (colon == std::string::npos) continue;
    const std::string_view name = trim(std::string_view(line).substr(0, colon));
    if (name.empty() || out.size() == kMaxLinks) continue;
    const std::vector<std::string> field = words(std::string_view(line).substr(colon + 1));
    const auto number = [&](std::size_t index) {
      std::uint64_t value = 0;
      if (index < field.size()) (void)parse_number(field[index], ~std::uint64_t{0}, value);
      return value;
    };
    out.push_back({std::string(name), number(kReceived) + (name == "lo" ? 0 : number(kSent))});
  }
  return out;
}

std::vector<DevCounter> read_dev(pid_t pid, const std::string& proc) {
  return parse_dev(slurp(pid, proc, "dev"));
}

ProcLinks read_links(pid_t pid, const std::string& proc) {
  ProcLinks out;
  const std::string dev = slurp(pid, proc, "dev");
  out.readable = !dev.empty();
  for (const DevCounter& counter : parse_dev(dev)) {
    if (counter.link == "lo") continue;
    model::Attachment link;
    link.interface = counter.link;
    out.links.push_back(std::move(link));
  }
  if (out.links.empty()) return out;
  const std::vector<Route> routes = parse_routes(slurp(pid, proc, "route"));
  for (const std::string& address : parse_fib_trie(slurp(pid, proc, "fib_trie"))) {
    place_address(address, routes, out.links);
  }
  for (const Address6& a : parse_if_inet6(slurp(pid, proc, "if_inet6"))) {
    for (model::Attachment& link : out.links) {
      if (link.interface == a.link && link.addresses.size() < kMaxAddresses)
        link.addresses.push_back(a.address);
    }
  }
  for (const Route& r : routes) {
    for (model::Attachment& link : out.links) {
      if (r.mask == 0 && r.gateway != 0 && link.interface == r.link && link.gateway.empty()) {
        link.gateway = ipv4(r.gateway);
      }
    }
  }
  return out;
}

}  // namespace podshark::discover
