// SPDX-License-Identifier: GPL-2.0-or-later
// What podshark and podshark-worker say to each other over a SOCK_SEQPACKET pair: fixed-size structs of
// integers, one request and one reply per message, descriptors by SCM_RIGHTS. Same machine, same build.
#pragma once

#include <cstdint>

namespace podshark::worker {

inline constexpr std::uint32_t kMagic = 0x50535734;  // "PSW4"
inline constexpr std::uint32_t kMaxSockets = 64;     // per reply; SCM_MAX_FD is 253

enum class TargetKind : std::uint32_t {
  process = 1,     ///< pid + start time
  netns_file = 2,  ///< /run/netns/netns-UUID, rootful only
  // Only from a worker without privileges of its own, which can do nothing that its client could not:
  own_netns = 3,   ///< the one podshark runs in: the host's
  descriptor = 4,  ///< a namespace that the client has opened, passed with the request
};

/// Sockets of the probes, IPv4 then IPv6. Unbound and unconnected; a listener is a TCP socket that the client
/// binds. ICMP: SOCK_DGRAM where the namespace's ping_group_range allows it, else SOCK_RAW.
/// Never served with borrowed privileges: they would let a user talk to what he cannot reach.
struct ProbeSockets {
  std::uint32_t tcp[2] = {};
  std::uint32_t udp[2] = {};
  std::uint32_t icmp[2] = {};
};

/// Sockets wanted in the target's network namespace. Reply order: netlink, raw, cooked, netfilter, then TCP,
/// UDP and ICMP of the probes, of each IPv4 before IPv6.
struct Request {
  std::uint32_t magic = kMagic;
  TargetKind kind = TargetKind::process;
  std::int32_t pid = 0;
  std::uint32_t netlink_sockets = 0;    ///< NETLINK_ROUTE
  std::uint32_t raw_sockets = 0;        ///< AF_PACKET SOCK_RAW, protocol 0 (sees nothing until bound)
  std::uint32_t cooked_sockets = 0;     ///< AF_PACKET SOCK_DGRAM, protocol 0
  std::uint32_t netfilter_sockets = 0;  ///< NETLINK_NETFILTER; never served with borrowed privileges
  std::uint32_t serial = 0;             ///< comes back in the reply
  ProbeSockets probe;
  std::uint64_t pid_start = 0;    ///< proc_pid_stat(5) field 22; must match
  std::uint64_t netns_inode = 0;  ///< when not 0, must match
  std::uint8_t uuid[16] = {};
};
static_assert(sizeof(Request) == 88);

/// Where a request failed; the client turns it into a sentence.
enum class Stage : std::uint32_t {
  done = 0,
  request,       ///< malformed
  find_process,  ///< no such process
  identity,      ///< the pid now belongs to another process, or the netns is another one
  not_podman,    ///< not the child of a root-owned conmon (installed worker only)
  open_netns,
  not_yours,   ///< another user's namespace
  host_netns,  ///< it shares the host's network namespace
  join,
  socket,
  died,        ///< the entering child vanished
  probes_off,  ///< sockets of probes and of netfilter are not served with borrowed privileges
};

struct Reply {
  std::uint32_t magic = kMagic;
  Stage stage = Stage::done;
  std::int32_t error = 0;     ///< errno, 0 when the stage explains itself
  std::uint32_t sockets = 0;  ///< descriptors attached
  std::uint64_t netns_inode = 0;
  std::uint64_t netns_cookie = 0;  ///< never recycled, unlike the inode; 0 before Linux 5.14
  std::uint32_t serial = 0;  ///< a child that is killed once it has answered makes the worker answer again
  std::uint32_t unused = 0;
};
static_assert(sizeof(Reply) == 40);

}  // namespace podshark::worker
