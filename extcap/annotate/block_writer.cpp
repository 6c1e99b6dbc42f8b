// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/annotate/block_writer.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace podshark::extcap {
namespace {

constexpr std::size_t kMaxOption = 65535;
constexpr std::uint16_t kCustomBinary = 2989;

}  // namespace

BlockWriter::BlockWriter(wire::Bytes* out, std::uint32_t type) : out_(out), start_(out->size) {
  u32(type);
  u32(0);
}

// The first word's room was reserved with the rest: nothing can fail here but memory, and that is seen to
// first.
BlockWriter::~BlockWriter() {
  const auto length = static_cast<std::uint32_t>(out_->size - start_ + 4);
  std::memcpy(out_->data + out_->size, &length, sizeof(length));
  out_->size += sizeof(length);
  std::memcpy(out_->data + start_ + 4, &length, sizeof(length));
}

void BlockWriter::raw(const void* data, std::size_t size) {
  constexpr std::size_t kClosing = 4;  // for the destructor
  if (!wire::reserve(out_, size + kClosing)) throw std::bad_alloc();
  if (size != 0) std::memcpy(out_->data + out_->size, data, size);
  out_->size += size;
}

void BlockWriter::bytes(std::span<const std::uint8_t> data) {
  constexpr std::uint32_t kZero = 0;
  raw(data.data(), data.size());
  raw(&kZero, (4 - data.size() % 4) % 4);
}

void BlockWriter::option(std::uint16_t code, std::span<const std::uint8_t> value) {
  u16(code);
  u16(static_cast<std::uint16_t>(value.size()));
  bytes(value);
}

void BlockWriter::text(std::uint16_t code, std::string_view value) {
  if (value.empty()) return;
  value = value.substr(0, kMaxOption);
  option(code, {reinterpret_cast<const std::uint8_t*>(value.data()), value.size()});
}

void BlockWriter::custom(std::uint32_t enterprise, std::string_view value) {
  if (value.size() > kMaxOption - 4) return;
  u16(kCustomBinary);
  u16(static_cast<std::uint16_t>(value.size() + 4));
  u32(enterprise);
  bytes({reinterpret_cast<const std::uint8_t*>(value.data()), value.size()});
}

void BlockWriter::options(Options from, std::initializer_list<std::uint16_t> except) {
  if (!from.swapped && except.size() == 0) return bytes(from.bytes);
  for (; const auto option = from.next();) {
    if (std::find(except.begin(), except.end(), option->code) != except.end()) continue;
    if (from.swapped) {
      coded(*option, coding_of(from.of, option->code));
    } else {
      this->option(option->code, option->value);
    }
  }
}

// From the other byte order.
void BlockWriter::coded(const Option& o, Coding coding) {
  const std::uint8_t* at = o.value.data();
  u16(o.code);
  u16(static_cast<std::uint16_t>(o.value.size()));
  switch (coding) {
    case Coding::u32:
      return u32(get32(at, true));
    case Coding::u64:
      return u64(get64(at, true));
    case Coding::two_u32:
      u32(get32(at, true));
      return u32(get32(at + 4, true));
    case Coding::enterprise:
      u32(get32(at, true));
      return bytes(o.value.subspan(4));
    case Coding::verdict:
      // eBPF verdicts (kinds 1 and 2) are a number of 64 bits behind the kind.
      if (o.value.size() == 9 && (at[0] == 1 || at[0] == 2)) {
        const std::uint64_t turned = get64(at + 1, true);
        std::uint8_t value[9] = {at[0]};
        std::memcpy(value + 1, &turned, sizeof(turned));
        return bytes(value);
      }
      return bytes(o.value);
    default:
      return bytes(o.value);
  }
}

}  // namespace podshark::extcap
