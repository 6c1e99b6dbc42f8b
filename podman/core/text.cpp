// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/core/text.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace podshark {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 0;  // 0: the first byte starts no valid sequence
};

// RFC 3629: shortest form only, no surrogates, at most U+10FFFF.
CodePoint decode(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  std::size_t length = 0;
  std::uint32_t value = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
    value = lead & 0x1Fu;
  } else if ((lead & 0xF0u) == 0xE0) {
    length = 3;
    value = lead & 0x0Fu;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    value = lead & 0x07u;
  }
  if (length == 0 || s.size() < length) return {};
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0u) != 0x80) return {};
    value = (value << 6) | (byte(i) & 0x3Fu);
  }
  static constexpr std::array<std::uint32_t, 5> kMinimum{0, 0, 0x80, 0x800, 0x10000};
  const bool bad = value < kMinimum[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF);
  return bad ? CodePoint{} : CodePoint{value, length};
}

bool invisible(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || c == 0xFEFF ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x2069);
}

}  // namespace

std::string escape_controls(std::string json) {
  // Of one byte 7f, of two c2 80…9f, of three e2 80 …, e2 81 … or ef bb bf.
  constexpr std::string_view kFirst = "\x7F\xC2\xE2\xEF";
  std::size_t at = json.find_first_of(kFirst);
  if (at == std::string::npos) return json;
  const std::string_view text = json;
  std::string out;
  std::size_t done = 0;
  for (; at != std::string::npos; at = text.find_first_of(kFirst, at)) {
    const CodePoint c = decode(text.substr(at));
    const std::size_t next = at + std::max<std::size_t>(c.length, 1);
    if (c.length != 0 && invisible(c.value)) {
      out += text.substr(done, at - done);
      out += "\\u" + hex(c.value, 4);
      done = next;
    }
    at = next;
  }
  out += text.substr(done);
  return out;
}

std::string one_line(std::string_view text, std::size_t max_bytes) {
  std::string out;
  while (!text.empty()) {
    const CodePoint c = decode(text);
    std::string_view piece = c.length != 0 ? text.substr(0, c.length) : kReplacement;
    if (c.length != 0 && invisible(c.value)) piece = " ";
    if (out.size() + piece.size() > max_bytes) {
      while (!out.empty() && out.size() + kEllipsis.size() > max_bytes) {
        while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0u) == 0x80) out.pop_back();
        if (!out.empty()) out.pop_back();
      }
      if (max_bytes >= kEllipsis.size()) out += kEllipsis;
      return out;
    }
    out += piece;
    text.remove_prefix(c.length != 0 ? c.length : 1);
  }
  return out;
}

std::string in_quotes(std::string_view name) {
  return "'" + one_line(name, 80) + "'";
}

// one_line() leaves valid UTF-8 without control characters: only these two need care.
std::string json_string(std::string_view text, std::size_t max_bytes) {
  std::string out = "\"";
  for (const char c : one_line(text, max_bytes)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h;
}

std::string hex(std::uint64_t value, unsigned digits) {
  std::string out(digits, '0');
  for (unsigned i = 0; i < digits; ++i) out[i] = "0123456789abcdef"[(value >> (4 * (digits - 1 - i))) & 0xF];
  return out;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  for (std::size_t from = 0;;) {
    const std::size_t to = text.find(separator, from);
    out.emplace_back(text.substr(from, to == std::string_view::npos ? to : to - from));
    if (to == std::string_view::npos) return out;
    from = to + 1;
  }
}

std::vector<std::string> words(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  std::vector<std::string> out;
  for (std::size_t at = text.find_first_not_of(kSpace); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    out.emplace_back(text.substr(at, end - at));
    at = text.find_first_not_of(kSpace, end);
  }
  return out;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string last_line(std::string_view text, std::size_t max_bytes) {
  const std::string_view trimmed = trim(text);
  return one_line(trimmed.substr(trimmed.rfind('\n') + 1), max_bytes);
}

bool parse_number(std::string_view text, std::uint64_t max, std::uint64_t& out) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value > max) return false;
  out = value;
  return true;
}

}  // namespace podshark
