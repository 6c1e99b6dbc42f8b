// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/conditions.h"

#include <algorithm>

namespace podshark::firewall {
namespace {

constexpr std::uint32_t kAll = 0xFFFFFFFF;
constexpr std::size_t kMaxOthers = 32;
constexpr std::size_t kMaxRanges = 64;  // of one field; a set with more stays a text

// The overlaps of two lists of ranges.
template <typename Range>
std::vector<Range> overlap(const std::vector<Range>& a, const std::vector<Range>& b) {
  std::vector<Range> out;
  for (const Range& x : a) {
    for (const Range& y : b) {
      const Range both{std::max(x.first, y.first), std::min(x.last, y.last)};
      if (both.first <= both.last && out.size() < kMaxRanges) out.push_back(both);
    }
  }
  return out;
}

template <typename Range>
bool narrow(std::optional<std::vector<Range>>& into, std::vector<Range> more) {
  into = into ? overlap(*into, more) : std::move(more);
  return !into->empty();
}

// The values of one column of rows [from, to); nothing when one of them is of another kind.
template <typename Range>
std::optional<std::vector<Range>> column(const Match& m, std::size_t field, std::size_t from,
                                         std::size_t to) {
  std::vector<Range> out;
  if (to - from > kMaxRanges) return std::nullopt;
  for (std::size_t row = from; row < to; ++row) {
    const auto* value = std::get_if<Range>(&(*m.values)[row * m.fields.size() + field]);
    if (value == nullptr) return std::nullopt;
    if (std::find(out.begin(), out.end(), *value) == out.end()) out.push_back(*value);
  }
  return out;
}

std::optional<std::uint32_t> single(const std::optional<std::vector<NumberRange>>& ranges) {
  if (!ranges || ranges->size() != 1 || ranges->front().first != ranges->front().last) return std::nullopt;
  return ranges->front().first;
}

}  // namespace

void Conditions::add_other(const Match& match) {
  if (others.size() < kMaxOthers && !match.text.empty()) others.push_back(match.text);
}

void Conditions::add_field(const Match& m, std::size_t field, std::size_t from, std::size_t to) {
  const auto numbers = column<NumberRange>(m, field, from, to);
  const auto addresses = column<AddressRange>(m, field, from, to);
  const auto number = single(numbers);
  switch (m.fields[field]) {
    case Field::family:
      if (!number) return add_other(m);
      {
        const Family found = *number == 6 ? Family::ip6 : Family::ip;
        if (family != Family::any && family != found) impossible = true;
        family = found;
      }
      return;
    case Field::protocol:
      if (!number) return add_other(m);
      if (protocol && *protocol != *number) impossible = true;
      protocol = static_cast<std::uint8_t>(*number);
      return;
    case Field::dport:
      if (!numbers) return add_other(m);
      impossible |= !narrow(ports, *numbers);
      return;
    case Field::daddr:
      if (!addresses) return add_other(m);
      impossible |= !narrow(host, *addresses);
      return;
    case Field::saddr:
      if (!addresses) return add_other(m);
      impossible |= !narrow(source, *addresses);
      return;
    case Field::daddr_type:
      if (number != static_cast<std::uint32_t>(AddressType::local)) return add_other(m);
      only_local = true;
      return;
    default:
      return add_other(m);
  }
}

void Conditions::add(const Match& match, std::optional<std::size_t> row) {
  if (match.negated || match.rows() == 0 || match.mask != kAll) return add_other(match);
  const std::size_t from = row.value_or(0);
  const std::size_t to = row ? *row + 1 : match.rows();
  // Several rows of a concatenation belong together; their columns alone would take too much.
  if (match.fields.size() > 1 && to - from > 1) return add_other(match);
  for (std::size_t i = 0; i < match.fields.size(); ++i) add_field(match, i, from, to);
}

}  // namespace podshark::firewall
