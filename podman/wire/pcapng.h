// SPDX-License-Identifier: GPL-2.0-or-later
// pcapng blocks (draft-ietf-opsawg-pcapng), little endian, into a growable buffer. C library only.
// Every function appends one whole block or nothing; false means out of memory or a block over kMaxBlock.
#pragma once

#include <cstddef>
#include <cstdint>

namespace podshark::wire {

/// dumpcap 4.0 and 4.6 end the capture on a longer block.
inline constexpr std::size_t kMaxBlock = 262144;
/// Of an enhanced packet block, what is not the packet.
inline constexpr std::size_t kPacketFrame = 32;

/// Block types of pcapng, draft-ietf-opsawg-pcapng.
enum BlockType : std::uint32_t {
  kSectionHeader = 0x0A0D0D0A,
  kInterfaceDescription = 1,
  kOldPacket = 2,
  kSimplePacket = 3,
  kNameResolution = 4,
  kInterfaceStatistics = 5,
  kEnhancedPacket = 6,
  kSystemdJournal = 9,
  kDecryptionSecrets = 10,
  kCustomCopied = 0x0BAD,
};

/// A malloc'd byte buffer; free with free_bytes.
struct Bytes {
  std::uint8_t* data = nullptr;
  std::size_t size = 0;
  std::size_t capacity = 0;
};
bool reserve(Bytes* bytes, std::size_t more);
void free_bytes(Bytes* bytes);

struct Text {
  const char* data = nullptr;
  std::size_t size = 0;
};

struct InterfaceInfo {
  std::uint16_t linktype;
  std::uint32_t snaplen;
  Text name;
  Text description;
  Text filter;    ///< empty: no if_filter option
  Text metadata;  ///< custom option 2989, empty: none
  std::uint32_t enterprise;
};

struct InterfaceCounters {
  std::uint32_t interface_id;
  std::uint64_t start_ns;
  std::uint64_t end_ns;
  std::uint64_t received;
  std::uint64_t dropped;
};

/// One name for one address: 4 bytes (IPv4) or 16 bytes (IPv6), network order.
struct NameEntry {
  const std::uint8_t* address;
  std::size_t address_size;
  Text name;
};

bool put_section_header(Bytes* out, Text os, Text application);
bool put_interface(Bytes* out, const InterfaceInfo* info);
bool put_packet(Bytes* out, std::uint32_t interface_id, std::uint64_t time_ns, const std::uint8_t* data,
                std::uint32_t captured, std::uint32_t length);
/// The same with a comment and a custom option 2989; what of a packet does not fit into the block beside them
/// is cut.
bool put_annotated_packet(Bytes* out, std::uint32_t interface_id, std::uint64_t time_ns,
                          const std::uint8_t* data, std::uint32_t captured, std::uint32_t length,
                          Text comment, Text metadata, std::uint32_t enterprise);
bool put_names(Bytes* out, const NameEntry* entries, std::size_t count);
bool put_statistics(Bytes* out, const InterfaceCounters* counters);

}  // namespace podshark::wire
