// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/annotate/options.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace podshark::extcap {
namespace {

std::size_t padded(std::size_t n) {
  return (n + 3) & ~std::size_t{3};
}

bool right_size(Coding coding, std::size_t size) {
  switch (coding) {
    case Coding::some_bytes:
    case Coding::verdict:
      return size != 0;
    case Coding::byte:
      return size == 1;
    case Coding::u32:
      return size == 4;
    case Coding::u64:
    case Coding::two_u32:
      return size == 8;
    case Coding::enterprise:
      return size >= 4;
    default:
      return true;
  }
}

Coding of_interface(std::uint16_t code) {
  switch (code) {
    case 9:   // if_tsresol
    case 13:  // if_fcslen
      return Coding::byte;
    case 11:  // if_filter
      return Coding::some_bytes;
    case 10:  // if_tzone
      return Coding::u32;
    case 8:   // if_speed
    case 14:  // if_tsoffset
    case 16:  // if_txspeed
    case 17:  // if_rxspeed
      return Coding::u64;
    default:
      return Coding::bytes;
  }
}

Coding of_packet(std::uint16_t code) {
  switch (code) {
    case 2:  // epb_flags
    case 6:  // epb_queue
      return Coding::u32;
    case 3:  // epb_hash
      return Coding::some_bytes;
    case 4:  // epb_dropcount
    case 5:  // epb_packetid
      return Coding::u64;
    case 7:
      return Coding::verdict;
    case 8:  // epb_processid_threadid
      return Coding::two_u32;
    default:
      return Coding::bytes;
  }
}

}  // namespace

std::uint16_t get16(const std::uint8_t* at, bool swapped) {
  std::uint16_t v = 0;
  std::memcpy(&v, at, sizeof(v));
  return swapped ? __builtin_bswap16(v) : v;
}

std::uint32_t get32(const std::uint8_t* at, bool swapped) {
  std::uint32_t v = 0;
  std::memcpy(&v, at, sizeof(v));
  return swapped ? __builtin_bswap32(v) : v;
}

std::uint64_t get64(const std::uint8_t* at, bool swapped) {
  std::uint64_t v = 0;
  std::memcpy(&v, at, sizeof(v));
  return swapped ? __builtin_bswap64(v) : v;
}

Coding coding_of(OptionsOf of, std::uint16_t code) {
  if (code == 2988 || code == 2989 || code == 19372 || code == 19373) return Coding::enterprise;
  if (of == OptionsOf::interface) return of_interface(code);
  if (of == OptionsOf::packet) return of_packet(code);
  if (of == OptionsOf::statistics && (code == 2 || code == 3)) return Coding::two_u32;  // start, end
  if (of == OptionsOf::statistics && code >= 4 && code <= 8) return Coding::u64;
  return Coding::bytes;
}

std::optional<Option> Options::next() {
  if (bytes.size() < 4) return std::nullopt;
  const std::size_t size = get16(bytes.data() + 2, swapped);
  const Option option{get16(bytes.data(), swapped), bytes.subspan(4, size)};
  bytes = bytes.subspan(std::min(bytes.size(), 4 + padded(size)));
  return option;
}

std::optional<Options> check_options(std::span<const std::uint8_t> bytes, bool swapped, OptionsOf of,
                                     std::size_t* used) {
  std::size_t at = 0;
  std::size_t end = bytes.size();
  while (bytes.size() - at >= 4) {
    const std::uint16_t code = get16(bytes.data() + at, swapped);
    const std::size_t size = get16(bytes.data() + at + 2, swapped);
    if (code == 0) {
      end = at;
      at += 4;
      break;
    }
    if (padded(size) > bytes.size() - at - 4 || !right_size(coding_of(of, code), size)) return std::nullopt;
    at += 4 + padded(size);
    end = at;
  }
  if (used != nullptr) *used = at;
  return Options{bytes.first(std::min(end, at)), swapped, of};
}

bool well_formed_names(Options records) {
  for (; const auto record = records.next();) {
    constexpr std::array<std::size_t, 5> kAddress{0, 4, 16, 6, 8};
    if (record->code >= kAddress.size()) continue;
    if (record->value.size() <= kAddress[record->code] || record->value.back() != 0) return false;
  }
  return true;
}

}  // namespace podshark::extcap
