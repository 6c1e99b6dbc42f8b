// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "extcap/annotate/options.h"
#include "podman/wire/pcapng.h"

namespace podshark::extcap {

/// Appends one block to a buffer, of any length: podman/wire knows only blocks of ours, and only short ones.
/// Throws std::bad_alloc.
class BlockWriter {
 public:
  BlockWriter(wire::Bytes* out, std::uint32_t type);
  ~BlockWriter();
  BlockWriter(const BlockWriter&) = delete;
  BlockWriter& operator=(const BlockWriter&) = delete;

  void u16(std::uint16_t v) { number(v); }
  void u32(std::uint32_t v) { number(v); }
  void u64(std::uint64_t v) { number(v); }
  /// Filled up to a multiple of four.
  void bytes(std::span<const std::uint8_t> data);

  /// Copies options; those of the codes in `except` stay away.
  void options(Options options, std::initializer_list<std::uint16_t> except = {});
  void option(std::uint16_t code, std::span<const std::uint8_t> value);
  /// Cut to what an option holds; none when empty.
  void text(std::uint16_t code, std::string_view value);
  void custom(std::uint32_t enterprise, std::string_view value);
  /// Needed behind options that were written, and behind the records of a name resolution block.
  void end_of_options() { u32(0); }

 private:
  template <typename T>
  void number(T v) {
    raw(&v, sizeof(v));
  }
  void raw(const void* data, std::size_t size);
  void coded(const Option& option, Coding coding);

  wire::Bytes* out_;
  std::size_t start_;
};

}  // namespace podshark::extcap
