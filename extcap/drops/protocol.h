// SPDX-License-Identifier: GPL-2.0-or-later
// What podshark and podshark-drops say to each other over a SOCK_SEQPACKET pair: fixed-size structs,
// descriptors by SCM_RIGHTS. Same machine, same build. The helper speaks first: the names of all drop
// reasons, then a reply with the ring buffer and the counters of extcap/drops/event.h; afterwards only when a
// request failed.
#pragma once

#include <cstdint>

namespace podshark::drops {

inline constexpr std::uint32_t kMagic = 0x50534431;  // "PSD1"

enum class Operation : std::uint32_t {
  options = 1,        ///< the first message, without a descriptor: what is to be loaded
  watch_netns = 2,    ///< all drops in the namespace are `tag`'s
  watch_address = 3,  ///< drops of packets with this address, in the namespace or its connections
  watch_port = 4,     ///< … to or from this port of one of the namespace's own addresses
  local_address = 5,  ///< an address of the namespace itself
  forget = 6,         ///< all of `tag`, without a descriptor
};

/// Every watching request carries one AF_PACKET socket made in the namespace that is meant. Whoever holds one
/// may read all packets there, so that the helper grants nothing and need not know whose namespace it is.
struct Request {
  std::uint32_t magic = kMagic;
  Operation operation = Operation::watch_netns;
  std::uint32_t tag = 0;          ///< 1 to PODSHARK_DROP_TAGS - 1
  std::uint32_t snaplen = 0;      ///< options
  std::uint8_t everything = 0;    ///< options: also what is no loss
  std::uint8_t protocol = 0;      ///< watch_port: IPPROTO_*
  std::uint16_t port = 0;         ///< watch_port, host order
  std::uint8_t address[16] = {};  ///< IPv4: the first four bytes
};
static_assert(sizeof(Request) == 36);

enum class Stage : std::uint32_t {
  done = 0,
  request,  ///< malformed
  types,    ///< no kernel type information (/sys/kernel/btf/vmlinux)
  load,     ///< the kernel refused the program
  attach,
  privilege,  ///< it is not allowed here
  watch,      ///< the socket is none that counts, or there is no room
};

struct Reply {
  std::uint32_t magic = kMagic;
  Stage stage = Stage::done;
  std::int32_t error = 0;
  std::uint32_t tag = 0;           ///< stage watch: of the request
  std::uint8_t whole_packets = 0;  ///< else only their linear part: Linux before 6.12
  std::uint8_t connections = 0;    ///< conntrack's tuples can be read
  std::uint8_t zero[2] = {};
  char text[172] = {};  ///< what the loader said last, for whoever has to find out
};
static_assert(sizeof(Reply) == 192);

/// A message of its own: this header, then so many ReasonName.
struct NamesHeader {
  std::uint32_t magic = kMagic;
  std::uint32_t count = 0;
};
struct ReasonName {
  std::uint32_t value = 0;
  char name[60] = {};  ///< "NETFILTER_DROP", ends with 0
};
inline constexpr std::uint32_t kMaxReasons = 1024;

}  // namespace podshark::drops
