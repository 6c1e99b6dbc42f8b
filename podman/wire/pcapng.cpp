// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/wire/pcapng.h"

#include <stdlib.h>
#include <string.h>

namespace podshark::wire {
namespace {

enum : std::uint16_t {
  kEnd = 0,
  kComment = 1,
  kShbOs = 3,
  kShbUserAppl = 4,
  kIfName = 2,
  kIfDescription = 3,
  kIfTsresol = 9,
  kIfFilter = 11,
  kIsbStartTime = 2,
  kIsbEndTime = 3,
  kIsbReceived = 4,
  kIsbDropped = 5,
  kCustomBinary = 2989,
};
constexpr std::size_t kMaxOption = 65535;

std::size_t padded(std::size_t n) {
  return (n + 3) & ~std::size_t{3};
}

// Appends without checks; Block::begin has reserved enough.
void put_raw(Bytes* out, const void* data, std::size_t size) {
  if (size != 0) memcpy(out->data + out->size, data, size);
  out->size += size;
}
void put16(Bytes* out, std::uint16_t v) {
  put_raw(out, &v, sizeof(v));
}
void put32(Bytes* out, std::uint32_t v) {
  put_raw(out, &v, sizeof(v));
}
void put64(Bytes* out, std::uint64_t v) {
  put_raw(out, &v, sizeof(v));
}
void pad(Bytes* out, std::size_t written) {
  static const std::uint8_t kZero[4] = {};
  put_raw(out, kZero, padded(written) - written);
}
// Times are two 32-bit halves, the high one first, whatever the byte order.
void put_time(Bytes* out, std::uint64_t t) {
  put32(out, static_cast<std::uint32_t>(t >> 32U));
  put32(out, static_cast<std::uint32_t>(t));
}

Text clipped(Text text) {
  if (text.size > kMaxOption - 8) text.size = kMaxOption - 8;
  return text;
}
std::size_t option_room(Text text) {
  return 4 + padded(text.size) + 4;
}

void put_option(Bytes* out, std::uint16_t code, const void* data, std::size_t size) {
  put16(out, code);
  put16(out, static_cast<std::uint16_t>(size));
  put_raw(out, data, size);
  pad(out, size);
}
void put_text(Bytes* out, std::uint16_t code, Text text) {
  if (text.size != 0) put_option(out, code, text.data, text.size);
}

// Cut JSON would be worse than none.
Text whole_or_nothing(Text metadata) {
  return metadata.size + 4 > kMaxOption ? Text{} : metadata;
}
void put_metadata(Bytes* out, std::uint32_t enterprise, Text metadata) {
  if (metadata.size == 0) return;
  put16(out, kCustomBinary);
  put16(out, static_cast<std::uint16_t>(metadata.size + 4));
  put32(out, enterprise);
  put_raw(out, metadata.data, metadata.size);
  pad(out, metadata.size);
}

struct Block {
  Bytes* out;
  std::size_t start;
};

bool begin(Block* block, Bytes* out, std::uint32_t type, std::size_t room) {
  if (room + 12 > kMaxBlock || !reserve(out, room + 12)) return false;
  *block = Block{out, out->size};
  put32(out, type);
  put32(out, 0);
  return true;
}

bool end(Block* block) {
  const auto length = static_cast<std::uint32_t>(block->out->size - block->start + 4);
  put32(block->out, length);
  memcpy(block->out->data + block->start + 4, &length, sizeof(length));
  return true;
}

}  // namespace

bool reserve(Bytes* bytes, std::size_t more) {
  if (bytes->size + more <= bytes->capacity) return true;
  std::size_t capacity = bytes->capacity != 0 ? bytes->capacity : 4096;
  while (capacity < bytes->size + more) capacity *= 2;
  void* grown = realloc(bytes->data, capacity);
  if (grown == nullptr) return false;
  bytes->data = static_cast<std::uint8_t*>(grown);
  bytes->capacity = capacity;
  return true;
}

void free_bytes(Bytes* bytes) {
  free(bytes->data);
  *bytes = Bytes{};
}

bool put_section_header(Bytes* out, Text os, Text application) {
  os = clipped(os);
  application = clipped(application);
  Block block;
  if (!begin(&block, out, kSectionHeader, 16 + option_room(os) + option_room(application) + 4)) return false;
  put32(out, 0x1A2B3C4D);
  put16(out, 1);  // version 1.0
  put16(out, 0);
  put64(out, ~std::uint64_t{0});  // section length not known
  put_text(out, kShbOs, os);
  put_text(out, kShbUserAppl, application);
  put_option(out, kEnd, nullptr, 0);
  return end(&block);
}

bool put_interface(Bytes* out, const InterfaceInfo* info) {
  const Text name = clipped(info->name);
  const Text description = clipped(info->description);
  const Text filter = clipped(info->filter);
  const Text metadata = whole_or_nothing(info->metadata);
  Block block;
  const std::size_t room =
      40 + option_room(name) + option_room(description) + option_room(filter) + option_room(metadata);
  if (!begin(&block, out, kInterfaceDescription, room)) return false;
  put16(out, info->linktype);
  put16(out, 0);
  put32(out, info->snaplen);
  put_text(out, kIfName, name);
  put_text(out, kIfDescription, description);
  const std::uint8_t nanoseconds = 9;
  put_option(out, kIfTsresol, &nanoseconds, 1);
  if (filter.size != 0) {
    put16(out, kIfFilter);
    put16(out, static_cast<std::uint16_t>(filter.size + 1));
    const std::uint8_t libpcap_syntax = 0;
    put_raw(out, &libpcap_syntax, 1);
    put_raw(out, filter.data, filter.size);
    pad(out, filter.size + 1);
  }
  put_metadata(out, info->enterprise, metadata);
  put_option(out, kEnd, nullptr, 0);
  return end(&block);
}

bool put_packet(Bytes* out, std::uint32_t interface_id, std::uint64_t time_ns, const std::uint8_t* data,
                std::uint32_t captured, std::uint32_t length) {
  constexpr auto kMaxCaptured = static_cast<std::uint32_t>(kMaxBlock - kPacketFrame);
  if (captured > kMaxCaptured) captured = kMaxCaptured;  // BIG TCP: `length` still tells the truth
  Block block;
  if (!begin(&block, out, kEnhancedPacket, 20 + padded(captured))) return false;
  put32(out, interface_id);
  put_time(out, time_ns);
  put32(out, captured);
  put32(out, length);
  put_raw(out, data, captured);
  pad(out, captured);
  return end(&block);
}

bool put_annotated_packet(Bytes* out, std::uint32_t interface_id, std::uint64_t time_ns,
                          const std::uint8_t* data, std::uint32_t captured, std::uint32_t length,
                          Text comment, Text metadata, std::uint32_t enterprise) {
  comment = clipped(comment);
  metadata = whole_or_nothing(metadata);
  const std::size_t options = option_room(comment) + option_room(metadata) + 4;
  const std::size_t most = (kMaxBlock - kPacketFrame - options) & ~std::size_t{3};
  if (captured > most) captured = static_cast<std::uint32_t>(most);
  Block block;
  if (!begin(&block, out, kEnhancedPacket, 20 + padded(captured) + options)) return false;
  put32(out, interface_id);
  put_time(out, time_ns);
  put32(out, captured);
  put32(out, length);
  put_raw(out, data, captured);
  pad(out, captured);
  put_text(out, kComment, comment);
  put_metadata(out, enterprise, metadata);
  put_option(out, kEnd, nullptr, 0);
  return end(&block);
}

bool put_names(Bytes* out, const NameEntry* entries, std::size_t count) {
  std::size_t room = 4 + 4;
  for (std::size_t i = 0; i < count; ++i)
    room += 4 + padded(entries[i].address_size + entries[i].name.size + 1);
  Block block;
  if (!begin(&block, out, kNameResolution, room)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const NameEntry& e = entries[i];
    const std::size_t size = e.address_size + e.name.size + 1;
    put16(out, e.address_size == 4 ? 1 : 2);  // nrb_record_ipv4, nrb_record_ipv6
    put16(out, static_cast<std::uint16_t>(size));
    put_raw(out, e.address, e.address_size);
    put_raw(out, e.name.data, e.name.size);
    put_raw(out, "", 1);
    pad(out, size);
  }
  put_option(out, kEnd, nullptr, 0);  // end of records; no options follow
  return end(&block);
}

bool put_statistics(Bytes* out, const InterfaceCounters* counters) {
  Block block;
  if (!begin(&block, out, kInterfaceStatistics, 12 + 4 * 12 + 4)) return false;
  put32(out, counters->interface_id);
  put_time(out, counters->end_ns);
  const auto put_time_option = [out](std::uint16_t code, std::uint64_t t) {
    put16(out, code);
    put16(out, 8);
    put_time(out, t);
  };
  put_time_option(kIsbStartTime, counters->start_ns);
  put_time_option(kIsbEndTime, counters->end_ns);
  put_option(out, kIsbReceived, &counters->received, 8);
  put_option(out, kIsbDropped, &counters->dropped, 8);
  put_option(out, kEnd, nullptr, 0);
  return end(&block);
}

}  // namespace podshark::wire
