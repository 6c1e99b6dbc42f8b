// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace podshark {

/// Container names, labels and images are chosen by strangers. Everything shown to a person or written
/// into a line protocol goes through here: invalid UTF-8 becomes U+FFFD, control characters (C0, DEL, C1,
/// bidi overrides, line separators) become a space, and the result is cut to `max_bytes` on a character
/// boundary with "…" when something was lost.
[[nodiscard]] std::string one_line(std::string_view text, std::size_t max_bytes);

/// A name in a message: 'web', one clean line of at most 80 bytes.
[[nodiscard]] std::string in_quotes(std::string_view name);

/// The same as a JSON string with its quotes: one clean line, at most `max_bytes` of the text.
[[nodiscard]] std::string json_string(std::string_view text, std::size_t max_bytes);

/// The same JSON with every control character that JSON allows in a string (DEL, C1 and the others that
/// one_line() replaces) as \uXXXX: safe on a terminal, and nothing of it is lost.
[[nodiscard]] std::string escape_controls(std::string json);

/// FNV-1a, 64 bits: stable names for cut strings, not a security measure.
[[nodiscard]] std::uint64_t fnv1a(std::string_view text);

/// Lower-case hexadecimal of `value`, exactly `digits` (≤ 16) long, most significant digits first.
[[nodiscard]] std::string hex(std::uint64_t value, unsigned digits);

/// Empty pieces are kept: "a,,b" has three, "" one.
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
/// What stands between spaces and tabs; nothing empty.
[[nodiscard]] std::vector<std::string> words(std::string_view text);
/// Without spaces, tabs and ends of lines (\r, \n) at both ends.
[[nodiscard]] std::string_view trim(std::string_view text);
/// The last line that is not blank, through one_line(): what a program said when it failed.
[[nodiscard]] std::string last_line(std::string_view text, std::size_t max_bytes);

/// Strict decimal: the whole text, no sign, no blanks, ≤ max. Returns false and leaves `out` alone otherwise.
[[nodiscard]] bool parse_number(std::string_view text, std::uint64_t max, std::uint64_t& out);

}  // namespace podshark
