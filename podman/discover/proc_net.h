// SPDX-License-Identifier: GPL-2.0-or-later
// Links and addresses of a network namespace from /proc/PID/net, which is readable without entering it, for a
// rootful container by anybody. The namespace belongs to the container, so nothing here is trusted to be
// small.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "podman/model/inventory.h"

namespace podshark::discover {

/// One Attachment per link except lo, network and MAC empty. False in `readable` when there is nothing to
/// read.
struct ProcLinks {
  std::vector<model::Attachment> links;
  bool readable = false;
};
[[nodiscard]] ProcLinks read_links(pid_t pid, const std::string& proc);

/// Pure parts. Local IPv4 addresses except 127/8, in the order of the trie, each once.
[[nodiscard]] std::vector<std::string> parse_fib_trie(std::string_view text);

struct Route {
  std::string link;
  std::uint32_t destination = 0;  ///< host byte order
  std::uint32_t gateway = 0;
  std::uint32_t mask = 0;
};
[[nodiscard]] std::vector<Route> parse_routes(std::string_view text);

struct Address6 {
  std::string link;
  std::string address;  ///< with prefix length
};
/// Global addresses only.
[[nodiscard]] std::vector<Address6> parse_if_inet6(std::string_view text);

/// What links carried since they were made, lo included. Packets of both directions, on lo each once.
struct DevCounter {
  std::string link;
  std::uint64_t packets = 0;
};
[[nodiscard]] std::vector<DevCounter> parse_dev(std::string_view text);
[[nodiscard]] std::vector<DevCounter> read_dev(pid_t pid, const std::string& proc = "/proc");

}  // namespace podshark::discover
