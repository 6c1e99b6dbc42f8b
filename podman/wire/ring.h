// SPDX-License-Identifier: GPL-2.0-or-later
// A TPACKET_V3 receive ring on a packet socket that somebody else may have made in another network
// namespace. See Documentation/networking/packet_mmap.rst in the kernel tree. C library only.
//
// A raw ring shows two things that libpcap hides, and which are repaired here: the kernel takes 802.1Q tags
// out of the frame, and every packet on a loopback link is seen twice, leaving and arriving.
#pragma once

#include <cstddef>
#include <cstdint>

struct sock_filter;
struct tpacket_block_desc;
struct tpacket3_hdr;

namespace podshark::wire {

/// Link-layer header types, https://www.ietf.org/archive/id/draft-ietf-opsawg-pcaplinktype-04.html
inline constexpr std::uint16_t kLinktypeEthernet = 1;
inline constexpr std::uint16_t kLinktypeRaw = 101;
inline constexpr std::uint16_t kLinktypeUpperPdu = 252;
inline constexpr std::uint16_t kLinktypeSll2 = 276;

/// How a link of this ARPHRD type is captured: `raw` says SOCK_RAW, else a SOCK_DGRAM socket whose packets
/// get a LINUX_SLL2 header of ours.
struct LinkEncoding {
  std::uint16_t linktype;
  bool raw;
};
LinkEncoding encoding_for(unsigned arphrd_type);

struct RingOptions {
  std::uint32_t block_size = 1U << 18U;  ///< bytes, a power of two ≥ page size
  std::uint32_t block_count = 32;        ///< whole ring: block_size * block_count bytes of kernel memory
  std::uint32_t retire_ms = 20;          ///< a partly filled block is handed over after this time
  std::uint32_t snaplen = 262144;
  bool promiscuous = true;
  bool loopback = false;                ///< the link is lo: take each packet once
  const sock_filter* filter = nullptr;  ///< classic BPF run by the kernel, or null
  std::uint16_t filter_length = 0;      ///< instructions
};

struct Packet {
  const std::uint8_t* data;
  std::uint32_t captured;  ///< bytes at data
  std::uint32_t length;    ///< bytes on the wire
  std::uint64_t time_ns;   ///< CLOCK_REALTIME
  std::uint8_t direction;  ///< PACKET_HOST … PACKET_OUTGOING, linux/if_packet.h
};

/// Owns the socket and its mapping. Not copyable; `close_ring` is idempotent.
struct Ring {
  int fd = -1;
  std::uint8_t* map = nullptr;
  std::size_t map_size = 0;
  RingOptions options;
  LinkEncoding encoding{kLinktypeEthernet, true};
  int ifindex = 0;
  std::uint32_t block = 0;     ///< next block to look at
  std::uint64_t received = 0;  ///< packets handed out
  std::uint64_t dropped = 0;   ///< PACKET_STATISTICS so far: no room in the ring
  std::uint64_t last_ns = 0;   ///< stamp of the newest packet handed out, 0 before the first
  tpacket_block_desc* current = nullptr;
  tpacket3_hdr* next = nullptr;
  std::uint32_t left = 0;
};

/// Sets up the ring on `fd` (unbound, ownership passes also on failure), attaches the filter, then binds to
/// `ifindex`: no packet can slip in unfiltered. Returns 0 or a negative errno; `*failed_step` names the call.
int open_ring(Ring* ring, int fd, int ifindex, LinkEncoding encoding, const RingOptions* options,
              const char** failed_step);
void close_ring(Ring* ring);

/// Next packet, or false when the kernel has no finished block for us. The data stays valid until the next
/// call. Restores VLAN tags in place and skips the outgoing copy on loopback links.
bool next_packet(Ring* ring, Packet* packet);

/// True when the kernel has, or is filling, a block with packets that next_packet() has not handed out. What
/// comes later is stamped later than last_ns.
bool packets_pending(const Ring* ring);

/// A link that goes down leaves ENETDOWN on the socket (the ring works again when it is up): EPOLLERR until
/// it is read away here.
void clear_error(const Ring* ring);

/// Adds the kernel's counters since the last call to ring->dropped.
void update_counters(Ring* ring);

}  // namespace podshark::wire
