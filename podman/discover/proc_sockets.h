// SPDX-License-Identifier: GPL-2.0-or-later
// Which ports the processes of a container hold, from /proc/PID/fd and /proc/PID/net. For a container in the
// host's network namespace that is all there is to tell its traffic from the host's.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace podshark::discover {

struct HeldPort {
  std::uint16_t port = 0;
  bool udp = false;
  bool listening = false;  ///< TCP listener or unconnected UDP socket
  bool operator==(const HeldPort&) const = default;
};

struct HeldPorts {
  std::vector<HeldPort> ports;  ///< each protocol and port once, listeners first, then by number
  bool readable = false;        ///< false: the descriptors of no process could be read
};

/// All processes of the container whose first process is `pid`: those of its PID namespace, or, when that is
/// our own (--pid=host), `pid` and its descendants.
[[nodiscard]] std::vector<pid_t> container_processes(pid_t pid, const std::string& proc = "/proc");

[[nodiscard]] HeldPorts held_ports(const std::vector<pid_t>& pids, const std::string& proc = "/proc");

/// Who has a socket open, by its inode number; of several processes the first found. What may not be read is
/// missing.
struct SocketOwner {
  pid_t pid = 0;
  std::string program;  ///< comm
};
[[nodiscard]] std::map<std::uint64_t, SocketOwner> socket_owners(const std::vector<std::uint64_t>& inodes,
                                                                 const std::string& proc = "/proc");

/// Inode numbers of the sockets that a process has open; nothing when its descriptors may not be read.
[[nodiscard]] std::optional<std::set<std::uint64_t>> sockets_of(pid_t pid, const std::string& proc = "/proc");

/// Pure part: local ports of /proc/net/{tcp,tcp6,udp,udp6}, by the inode number of their socket.
[[nodiscard]] std::map<std::uint64_t, HeldPort> parse_sockets(std::string_view text, bool udp);

}  // namespace podshark::discover
