// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/wire/ring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23  // Linux 4.20
#endif

namespace podshark::wire {
namespace {

// TPACKET_ALIGN(sizeof(tpacket3_hdr)) without its signed arithmetic.
constexpr std::size_t kAddressOffset =
    (sizeof(tpacket3_hdr) + TPACKET_ALIGNMENT - 1) / TPACKET_ALIGNMENT * TPACKET_ALIGNMENT;
constexpr std::uint32_t kVlanTag = 4;
constexpr std::uint32_t kMacs = 12;
constexpr std::uint32_t kSll2 = 20;
// Room in front of each packet for the tag or the SLL2 header that we put back.
constexpr unsigned kReserve = 20;
constexpr std::uint32_t kFrameSize = 2048;  // only has to divide the block: V3 packs frames back to back

template <typename T>
int set_option(int fd, int name, const T& value) {
  return setsockopt(fd, SOL_PACKET, name, &value, sizeof(value)) == 0 ? 0 : -errno;
}

int make_ring(Ring* ring, const char** step) {
  const RingOptions& o = ring->options;
  *step = "PACKET_VERSION";
  if (const int e = set_option(ring->fd, PACKET_VERSION, int{TPACKET_V3}); e != 0) return e;
  *step = "PACKET_RESERVE";
  if (const int e = set_option(ring->fd, PACKET_RESERVE, kReserve); e != 0) return e;
  if (o.loopback) {
    // Spares the kernel half the work; next_packet() checks again for kernels that do not know it.
    (void)set_option(ring->fd, PACKET_IGNORE_OUTGOING, int{1});
  }
  tpacket_req3 request{};
  request.tp_block_size = o.block_size;
  request.tp_block_nr = o.block_count;
  request.tp_frame_size = kFrameSize;
  request.tp_frame_nr = o.block_size / kFrameSize * o.block_count;
  request.tp_retire_blk_tov = o.retire_ms;
  *step = "PACKET_RX_RING";
  if (const int e = set_option(ring->fd, PACKET_RX_RING, request); e != 0) return e;
  *step = "mmap of the packet ring";
  ring->map_size = static_cast<std::size_t>(o.block_size) * o.block_count;
  void* map = mmap(nullptr, ring->map_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
  if (map == MAP_FAILED) return -errno;
  ring->map = static_cast<std::uint8_t*>(map);
  return 0;
}

int attach_filter(const Ring* ring, const char** step) {
  if (ring->options.filter == nullptr) return 0;
  *step = "SO_ATTACH_FILTER";
  const sock_fprog program{ring->options.filter_length, const_cast<sock_filter*>(ring->options.filter)};
  return setsockopt(ring->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0 ? 0 : -errno;
}

int bind_ring(const Ring* ring, const char** step) {
  *step = "bind to the link";
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = ring->ifindex;
  if (bind(ring->fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return -errno;
  if (ring->options.promiscuous && !ring->options.loopback) {
    packet_mreq membership{};
    membership.mr_ifindex = ring->ifindex;
    membership.mr_type = PACKET_MR_PROMISC;
    *step = "promiscuous mode";
    if (const int e = set_option(ring->fd, PACKET_ADD_MEMBERSHIP, membership); e != 0) return e;
  }
  return 0;
}

bool owned_by_us(const tpacket_block_desc* block) {
  return (__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) != 0;
}

void give_back(Ring* ring) {
  __atomic_store_n(&ring->current->hdr.bh1.block_status, std::uint32_t{TP_STATUS_KERNEL}, __ATOMIC_RELEASE);
  ring->current = nullptr;
  ring->block = (ring->block + 1) % ring->options.block_count;
}

bool take_block(Ring* ring) {
  auto* block = reinterpret_cast<tpacket_block_desc*>(ring->map + static_cast<std::size_t>(ring->block) *
                                                                      ring->options.block_size);
  if (!owned_by_us(block)) return false;
  ring->current = block;
  ring->left = block->hdr.bh1.num_pkts;
  ring->next = reinterpret_cast<tpacket3_hdr*>(reinterpret_cast<std::uint8_t*>(block) +
                                               block->hdr.bh1.offset_to_first_pkt);
  return true;
}

void put16(std::uint8_t* at, unsigned value) {
  at[0] = static_cast<std::uint8_t>(value >> 8);
  at[1] = static_cast<std::uint8_t>(value);
}

// The kernel moved the tag out of the frame into the header: move the addresses back and put it between.
void restore_vlan(const tpacket3_hdr* header, Packet* packet) {
  const bool tagged = header->hv1.tp_vlan_tci != 0 || (header->tp_status & TP_STATUS_VLAN_VALID) != 0;
  if (!tagged || packet->captured < kMacs) return;
  const unsigned tpid =
      (header->tp_status & TP_STATUS_VLAN_TPID_VALID) != 0 ? header->hv1.tp_vlan_tpid : unsigned{ETH_P_8021Q};
  auto* start = const_cast<std::uint8_t*>(packet->data) - kVlanTag;
  memmove(start, packet->data, kMacs);
  put16(start + kMacs, tpid);
  put16(start + kMacs + 2, header->hv1.tp_vlan_tci);
  packet->data = start;
  packet->captured += kVlanTag;
  packet->length += kVlanTag;
}

// LINKTYPE_LINUX_SLL2: protocol, reserved, ifindex, ARPHRD, packet type, address length, address.
void put_sll2(const sockaddr_ll* address, Packet* packet) {
  auto* start = const_cast<std::uint8_t*>(packet->data) - kSll2;
  memcpy(start, &address->sll_protocol, 2);
  put16(start + 2, 0);
  put16(start + 4, static_cast<unsigned>(address->sll_ifindex) >> 16U);
  put16(start + 6, static_cast<unsigned>(address->sll_ifindex) & 0xFFFFU);
  put16(start + 8, address->sll_hatype);
  start[10] = address->sll_pkttype;
  start[11] = address->sll_halen;
  memcpy(start + 12, address->sll_addr, 8);
  packet->data = start;
  packet->captured += kSll2;
  packet->length += kSll2;
}

}  // namespace

LinkEncoding encoding_for(unsigned arphrd_type) {
  switch (arphrd_type) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK:
      return {kLinktypeEthernet, true};
    case ARPHRD_NONE:  // tun, WireGuard: IP packets without any header
    case ARPHRD_RAWIP:
      return {kLinktypeRaw, true};
    default:
      return {kLinktypeSll2, false};
  }
}

int open_ring(Ring* ring, int fd, int ifindex, LinkEncoding encoding, const RingOptions* options,
              const char** failed_step) {
  *ring = Ring{};
  ring->fd = fd;
  ring->ifindex = ifindex;
  ring->encoding = encoding;
  ring->options = *options;
  int error = make_ring(ring, failed_step);
  if (error == 0) error = attach_filter(ring, failed_step);
  if (error == 0) error = bind_ring(ring, failed_step);
  if (error != 0) close_ring(ring);
  return error;
}

void close_ring(Ring* ring) {
  if (ring->map != nullptr) munmap(ring->map, ring->map_size);
  if (ring->fd >= 0) close(ring->fd);
  ring->map = nullptr;
  ring->fd = -1;
  ring->current = nullptr;
}

bool next_packet(Ring* ring, Packet* packet) {
  if (ring->map == nullptr) return false;
  for (;;) {
    if (ring->current != nullptr && ring->left == 0) give_back(ring);
    if (ring->current == nullptr && !take_block(ring)) return false;
    if (ring->left == 0) continue;  // a block retired empty
    const tpacket3_hdr* header = ring->next;
    const auto* base = reinterpret_cast<const std::uint8_t*>(header);
    ring->next = reinterpret_cast<tpacket3_hdr*>(const_cast<std::uint8_t*>(base) + header->tp_next_offset);
    --ring->left;
    const auto* address = reinterpret_cast<const sockaddr_ll*>(base + kAddressOffset);
    if (ring->options.loopback && address->sll_pkttype == PACKET_OUTGOING) continue;
    packet->data = base + (ring->encoding.raw ? header->tp_mac : header->tp_net);
    packet->captured = header->tp_snaplen;
    packet->length = header->tp_len;
    packet->time_ns = std::uint64_t{header->tp_sec} * 1000000000U + header->tp_nsec;
    packet->direction = address->sll_pkttype;
    if (ring->encoding.linktype == kLinktypeEthernet) restore_vlan(header, packet);
    if (ring->encoding.linktype == kLinktypeSll2) put_sll2(address, packet);
    if (packet->captured > ring->options.snaplen) packet->captured = ring->options.snaplen;
    ++ring->received;
    ring->last_ns = packet->time_ns;
    return true;
  }
}

bool packets_pending(const Ring* ring) {
  if (ring->map == nullptr) return false;
  if (ring->left > 0) return true;
  std::uint32_t index = ring->block;
  if (ring->current != nullptr) index = (index + 1) % ring->options.block_count;  // read to its end
  const auto* block = reinterpret_cast<const tpacket_block_desc*>(
      ring->map + static_cast<std::size_t>(index) * ring->options.block_size);
  // The kernel counts packets into the block that it is filling, long before it hands the block over.
  return owned_by_us(block) || __atomic_load_n(&block->hdr.bh1.num_pkts, __ATOMIC_RELAXED) != 0;
}

void clear_error(const Ring* ring) {
  int error = 0;
  socklen_t length = sizeof(error);
  (void)getsockopt(ring->fd, SOL_SOCKET, SO_ERROR, &error, &length);
}

void update_counters(Ring* ring) {
  if (ring->fd < 0) return;
  tpacket_stats_v3 stats{};
  socklen_t length = sizeof(stats);
  if (getsockopt(ring->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length) == 0)
    ring->dropped += stats.tp_drops;
}

}  // namespace podshark::wire
