// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "podman/core/result.h"
#include "podman/wire/ring.h"

namespace podshark::extcap {

/// A pcap savefile that arrives in pieces, as tcpdump -w - and dumpcap -P -w - write it. Either byte order,
/// micro- or nanoseconds. Never waits for input.
class PcapReader {
 public:
  PcapReader();

  /// Where the next bytes of the stream go, never empty after read() took all; tell filled() how many came.
  [[nodiscard]] std::span<std::uint8_t> room() const { return {buffer_.get() + size_, kCapacity - size_}; }
  void filled(std::size_t bytes) { size_ += bytes; }

  /// True when the file header is there and understood; an error when the stream is something else.
  [[nodiscard]] Result<bool> begun();
  /// Of the header, once begun(): LINKTYPE_ (not DLT_) and longest packet.
  [[nodiscard]] std::uint16_t linktype() const { return linktype_; }
  [[nodiscard]] std::uint32_t snaplen() const { return snaplen_; }

  /// Hands over every packet that has arrived completely, until `take` returns false; the rest stays for the
  /// next call. A packet's data is valid during its call.
  [[nodiscard]] Status read(const std::function<bool(const wire::Packet&)>& take);
  /// A whole packet waits.
  [[nodiscard]] bool pending() const;

 private:
  static constexpr std::size_t kFileHeader = 24;
  static constexpr std::size_t kRecordHeader = 16;
  static constexpr std::size_t kCapacity = std::size_t{1} << 20U;

  [[nodiscard]] std::uint32_t number(std::size_t at) const;
  [[nodiscard]] std::size_t record_size(std::size_t at) const;
  [[nodiscard]] bool whole_record(std::size_t at) const;
  void drop(std::size_t until);

  std::unique_ptr<std::uint8_t[]> buffer_;  // the file header, then records that were not taken yet
  std::size_t size_ = 0;
  bool begun_ = false;
  bool swapped_ = false;
  std::uint16_t linktype_ = 0;
  std::uint32_t snaplen_ = 0;
};

}  // namespace podshark::extcap
