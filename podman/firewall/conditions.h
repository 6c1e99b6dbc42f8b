// SPDX-License-Identifier: GPL-2.0-or-later
// Conditions of several matches put together. Private to podman/firewall.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "podman/firewall/ruleset.h"

namespace podshark::firewall {

/// What all matches on a way of jumps ask together; what does not fit the fields stays a text.
struct Conditions {
  Family family = Family::any;
  std::optional<std::uint8_t> protocol;
  std::optional<std::vector<AddressRange>> host;
  std::optional<std::vector<AddressRange>> source;
  std::optional<std::vector<NumberRange>> ports;
  bool only_local = false;
  std::vector<std::string> others;
  bool impossible = false;  ///< two of them exclude each other

  /// Narrows by one match; by one row of it (a verdict map's) when `row` is given.
  void add(const Match& match, std::optional<std::size_t> row = std::nullopt);

 private:
  void add_field(const Match& match, std::size_t field, std::size_t from, std::size_t to);
  void add_other(const Match& match);
};

}  // namespace podshark::firewall
