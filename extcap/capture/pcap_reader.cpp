// SPDX-License-Identifier: GPL-2.0-or-later
// libpcap reads savefiles, but waits for each byte of a stream, and the capture loop never waits. So libpcap
// is given the file header and whole records only, from memory, as a small file of its own for each turn:
// what of the format is known here is how long a record is.
#include "extcap/capture/pcap_reader.h"

#include <cstdio>
#include <cstring>

#include "extcap/capture/libpcap.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kNanoseconds = 0xa1b23c4d;
constexpr std::uint32_t kPcapng = 0x0a0d0d0a;
constexpr std::uint32_t kVersion = 2 | 4U << 16U;  // two numbers of 16 bits
constexpr std::uint32_t kVersionSwapped = 2U << 16U | 4;
constexpr std::uint32_t kMostBytes = 262144;  // libpcap's own limit for a packet (MAXIMUM_SNAPLEN)

Error damaged(const std::string& why) {
  return Error{ErrorKind::internal, "the packet stream is damaged: " + why, {}};
}

}  // namespace

PcapReader::PcapReader() : buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(kCapacity)) {}

std::uint32_t PcapReader::number(std::size_t at) const {
  std::uint32_t value = 0;
  std::memcpy(&value, buffer_.get() + at, sizeof(value));
  return swapped_ ? __builtin_bswap32(value) : value;
}

Result<bool> PcapReader::begun() {
  if (begun_ || size_ < kFileHeader) return begun_;
  swapped_ = false;
  const std::uint32_t magic = number(0);
  const std::uint32_t turned = __builtin_bswap32(magic);
  if (magic == kPcapng) return damaged("it is pcapng, not pcap");
  swapped_ = turned == kMicroseconds || turned == kNanoseconds;
  if (!swapped_ && magic != kMicroseconds && magic != kNanoseconds) {
    const std::string start(reinterpret_cast<const char*>(buffer_.get()), kFileHeader);
    return damaged("it begins with " + in_quotes(start) + " instead of a pcap header");
  }
  // libpcap reads lengths of older versions otherwise than we do.
  if (number(4) != (swapped_ ? kVersionSwapped : kVersion)) return damaged("it is an old version of pcap");
  snaplen_ = number(16);
  linktype_ = static_cast<std::uint16_t>(number(20) & 0xffffU);  // above: length of the frame check sequence
  begun_ = true;
  return true;
}

std::size_t PcapReader::record_size(std::size_t at) const {
  return kRecordHeader + number(at + 8);
}

bool PcapReader::whole_record(std::size_t at) const {
  return at + kRecordHeader <= size_ && record_size(at) <= size_ - at;
}

bool PcapReader::pending() const {
  return begun_ && whole_record(kFileHeader);
}

// The header stays in front.
void PcapReader::drop(std::size_t until) {
  std::memmove(buffer_.get() + kFileHeader, buffer_.get() + until, size_ - until);
  size_ -= until - kFileHeader;
}

Status PcapReader::read(const std::function<bool(const wire::Packet&)>& take) {
  if (const Result<bool> ready = begun(); !ready || !*ready) return ready ? ok() : Status(ready.error());
  std::size_t end = kFileHeader;
  while (whole_record(end)) end += record_size(end);
  const std::uint32_t next = end + kRecordHeader <= size_ ? number(end + 8) : 0;
  const Status then = next <= kMostBytes ? ok() : damaged("a packet of " + std::to_string(next) + " bytes");
  if (end == kFileHeader) return then;

  const Libpcap& lib = libpcap();
  if (!lib.error.empty()) {
    return Error{ErrorKind::internal, "reading packets of another program needs libpcap: " + lib.error,
                 "install libpcap0.8"};
  }
  std::FILE* file = ::fmemopen(buffer_.get(), end, "rb");
  if (file == nullptr) return os_error(errno, "fmemopen");
  char why[PCAP_ERRBUF_SIZE] = "";
  pcap_t* opened = lib.fopen_offline(file, PCAP_TSTAMP_PRECISION_NANO, why);
  if (opened == nullptr) {
    (void)std::fclose(file);
    return damaged(why);
  }
  const std::unique_ptr<pcap_t, decltype(lib.close)> pcap(opened, lib.close);  // closes the file too
  std::size_t taken = kFileHeader;
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  int got = 0;
  bool more = true;
  while (more && taken < end && (got = lib.next_ex(pcap.get(), &header, &data)) == 1) {
    taken += record_size(taken);
    // With nanosecond precision tv_usec holds nanoseconds.
    const auto time = static_cast<std::uint64_t>(header->ts.tv_sec) * 1'000'000'000 +
                      static_cast<std::uint64_t>(header->ts.tv_usec);
    more = take({data, header->caplen, header->len, time, /* direction= */ 0});
  }
  if (got == PCAP_ERROR) return damaged(lib.geterr(pcap.get()));
  drop(taken);
  return more ? then : ok();
}

}  // namespace podshark::extcap
