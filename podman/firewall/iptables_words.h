// SPDX-License-Identifier: GPL-2.0-or-later
// The words of one line of iptables-save. Private to podman/firewall.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "podman/firewall/match.h"

namespace podshark::firewall {

/// Words between blanks; "…" is one word, a backslash keeps the next character. At most 1024 words. A quoted
/// word begins with a byte 1, which options() takes off: "-j" in quotes is no option.
[[nodiscard]] std::vector<std::string> shell_words(std::string_view line);

/// "0x2000", "8192", "020": C notation, as iptables prints marks.
[[nodiscard]] std::optional<std::uint32_t> c_number(std::string_view text);

/// "80", "8000:8010", ":1024"; both ends ≤ 65535. `separator` is ':' for matches, '-' for targets.
[[nodiscard]] std::optional<NumberRange> port_range(std::string_view text, char separator);

/// One option with its arguments: "! --dport 80".
struct Option {
  std::string name;
  std::vector<std::string> arguments;
  bool negated = false;
  [[nodiscard]] std::string text() const;
  /// The only argument, or an empty text.
  [[nodiscard]] std::string_view argument() const;
};

/// "-s 10.0.0.0/8 ! -i lo" as options: a word that begins with '-' starts one, others are arguments.
[[nodiscard]] std::vector<Option> options(const std::vector<std::string>& words, std::size_t from);

}  // namespace podshark::firewall
