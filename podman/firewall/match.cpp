// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/match.h"

#include <algorithm>
#include <array>

#include "podman/core/text.h"

namespace podshark::firewall {
namespace {

constexpr unsigned kMappedBits = 96;  // of an IPv4 address within ::ffff:0:0/96

// The number of leading ones, or nothing when the mask has holes.
std::optional<unsigned> prefix_length(const IpAddress& mask) {
  unsigned ones = 0;
  bool ended = false;
  for (std::size_t i = mask.is_v4() ? 12 : 0; i < mask.bytes.size(); ++i) {
    for (int bit = 7; bit >= 0; --bit) {
      const bool set = ((static_cast<unsigned>(mask.bytes[i]) >> static_cast<unsigned>(bit)) & 1U) != 0;
      if (set && ended) return std::nullopt;
      if (set) ++ones;
      ended = !set;
    }
  }
  return ones;
}

std::optional<AddressRange> parse_prefix(const IpAddress& address, std::string_view length) {
  std::uint64_t bits = 0;
  if (parse_number(length, 128, bits)) return AddressRange::prefix(address, static_cast<unsigned>(bits));
  if (length.find('/') != std::string_view::npos) return std::nullopt;
  const auto mask = IpAddress::parse(length);
  if (!mask) return std::nullopt;
  // ffff:… of IPv6 is never an IPv4-mapped address.
  if (mask->is_v4() != address.is_v4()) return std::nullopt;
  const auto ones = prefix_length(*mask);
  return ones ? AddressRange::prefix(address, *ones) : std::nullopt;
}

// How many bits the two ends of a prefix have in common, or nothing when the range is no prefix.
std::optional<unsigned> as_prefix(const AddressRange& range) {
  unsigned common = 0;
  while (common < 128) {
    const std::size_t byte = common / 8;
    const unsigned shift = 7U - common % 8U;
    if (((range.first.bytes[byte] ^ range.last.bytes[byte]) >> shift & 1) != 0) break;
    ++common;
  }
  const auto whole = AddressRange::prefix(
      range.first, range.first.is_v4() ? std::max(common, kMappedBits) - kMappedBits : common);
  if (!whole || !(*whole == range)) return std::nullopt;
  return common;
}

}  // namespace

std::optional<AddressRange> AddressRange::prefix(const IpAddress& address, unsigned length) {
  const unsigned bits = address.is_v4() ? length + kMappedBits : length;
  if (bits > 128) return std::nullopt;
  AddressRange out{address, address};
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned kept = bits <= i * 8 ? 0 : std::min(bits - i * 8, 8U);
    const auto host = static_cast<std::uint8_t>(0xFFU >> kept);
    out.first.bytes[i] = static_cast<std::uint8_t>(out.first.bytes[i] & ~host);
    out.last.bytes[i] = static_cast<std::uint8_t>(out.last.bytes[i] | host);
  }
  return out;
}

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
  if (const std::size_t dash = text.find('-'); dash != std::string_view::npos) {
    const std::string_view low = text.substr(0, dash);
    const std::string_view high = text.substr(dash + 1);
    if (text.find('/') != std::string_view::npos) return std::nullopt;
    const auto first = IpAddress::parse(low);
    const auto last = IpAddress::parse(high);
    if (!first || !last || first->is_v4() != last->is_v4() || *last < *first) return std::nullopt;
    return AddressRange{*first, *last};
  }
  const auto address = IpAddress::parse(text);
  if (!address) return std::nullopt;
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return AddressRange{*address, *address};
  const std::string_view length = text.substr(slash + 1);
  std::uint64_t bits = 0;
  // "::ffff:0.0.0.0/96" of firewalld: the length counts from the IPv6 notation.
  if (address->is_v4() && text.find(':') < slash) {
    if (!parse_number(length, 128, bits) || bits < kMappedBits) return std::nullopt;
    return prefix(*address, static_cast<unsigned>(bits) - kMappedBits);
  }
  return parse_prefix(*address, length);
}

std::string AddressRange::text() const {
  if (first == last) return first.text();
  const auto common = as_prefix(*this);
  if (!common) return first.text() + "-" + last.text();
  return first.text() + "/" + std::to_string(first.is_v4() ? *common - kMappedBits : *common);
}

std::string NumberRange::text() const {
  return first == last ? std::to_string(first) : std::to_string(first) + "-" + std::to_string(last);
}

bool LinkName::fits(std::string_view link) const {
  return prefix ? link.substr(0, name.size()) == name : link == name;
}

Match one_of(Field field, Values values, std::string text) {
  Match out;
  out.fields.push_back(field);
  out.values = std::make_shared<const Values>(std::move(values));
  out.text = std::move(text);
  return out;
}

Match equals(Field field, std::uint32_t number, std::string text) {
  return one_of(field, {NumberRange{number, number}}, std::move(text));
}

Match unknown_match(std::string text) {
  return one_of(Field::unknown, {}, std::move(text));
}

}  // namespace podshark::firewall
