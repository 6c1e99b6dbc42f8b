// SPDX-License-Identifier: GPL-2.0-or-later
// Options of pcapng blocks, in either byte order: checked once, then copied into a little-endian file. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace podshark::extcap {

/// The block they belong to decides which of them hold numbers.
enum class OptionsOf : std::uint8_t { section, interface, packet, statistics, other };

/// Numbers as the file has them: `swapped` when that is not this machine's order.
[[nodiscard]] std::uint16_t get16(const std::uint8_t* at, bool swapped);
[[nodiscard]] std::uint32_t get32(const std::uint8_t* at, bool swapped);
[[nodiscard]] std::uint64_t get64(const std::uint8_t* at, bool swapped);

struct Option {
  std::uint16_t code = 0;
  std::span<const std::uint8_t> value;
};

/// Options that are known to be well-formed: each lies within, and numbers have their size.
struct Options {
  std::span<const std::uint8_t> bytes;  ///< without the end-of-options
  bool swapped = false;
  OptionsOf of = OptionsOf::other;

  /// Takes the first one off; nullopt: there is none left.
  [[nodiscard]] std::optional<Option> next();
  [[nodiscard]] bool empty() const { return bytes.empty(); }
};

/// nullopt: malformed. Ends at the end-of-options, or with `bytes`; `used` tells how many it looked at.
[[nodiscard]] std::optional<Options> check_options(std::span<const std::uint8_t> bytes, bool swapped,
                                                   OptionsOf of, std::size_t* used = nullptr);

/// The records of a name resolution block, stored as options are: each of a known kind has an address and at
/// least one name that ends.
[[nodiscard]] bool well_formed_names(Options records);

/// How the value of an option is stored.
enum class Coding : std::uint8_t { bytes, some_bytes, byte, u32, u64, two_u32, enterprise, verdict };
[[nodiscard]] Coding coding_of(OptionsOf of, std::uint16_t code);

}  // namespace podshark::extcap
