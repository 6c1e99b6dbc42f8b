// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/iptables_words.h"

#include <charconv>

#include "podman/core/text.h"

namespace podshark::firewall {
namespace {

constexpr std::size_t kMaxWords = 1024;

// Whether a quoted argument such as a comment may look like an option is settled by marking it with this.
constexpr char kQuoted = '\x01';

}  // namespace

std::vector<std::string> shell_words(std::string_view line) {
  std::vector<std::string> out;
  std::string word;
  bool within = false;
  bool quoted = false;
  const auto end = [&] {
    if (within && out.size() < kMaxWords) out.push_back(word);
    word.clear();
    within = false;
  };
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && i + 1 < line.size()) {
      word += line[++i];
      within = true;
    } else if (c == '"') {
      quoted = !quoted;
      if (quoted && !within) word += kQuoted;
      within = true;
    } else if (!quoted && (c == ' ' || c == '\t')) {
      end();
    } else {
      word += c;
      within = true;
    }
  }
  end();
  return out;
}

std::optional<std::uint32_t> c_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0') {
    base = 8;
  }
  std::uint32_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::optional<NumberRange> port_range(std::string_view text, char separator) {
  const std::size_t at = text.find(separator);
  std::uint64_t first = 0;
  std::uint64_t last = 65535;
  const std::string_view low = text.substr(0, at);
  if (at == std::string_view::npos) {
    if (!parse_number(low, 65535, first)) return std::nullopt;
    last = first;
  } else {
    const std::string_view high = text.substr(at + 1);
    if (!low.empty() && !parse_number(low, 65535, first)) return std::nullopt;
    if (!high.empty() && !parse_number(high, 65535, last)) return std::nullopt;
  }
  if (last < first) return std::nullopt;
  return NumberRange{static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last)};
}

std::string Option::text() const {
  std::string out = (negated ? "! " : "") + name;
  for (const std::string& a : arguments) out += " " + a;
  return out;
}

std::string_view Option::argument() const {
  return arguments.size() == 1 ? std::string_view(arguments[0]) : std::string_view();
}

std::vector<Option> options(const std::vector<std::string>& words, std::size_t from) {
  std::vector<Option> out;
  bool negated = false;
  for (std::size_t i = from; i < words.size(); ++i) {
    const std::string& w = words[i];
    const bool comment = i > from && words[i - 1] == "--comment";  // its argument is anybody's
    if (w == "!" && !comment) {
      negated = true;
    } else if (w.size() > 1 && w[0] == '-' && !comment) {
      out.push_back(Option{w, {}, negated});
      negated = false;
    } else {
      if (out.empty()) out.push_back(Option{});
      const bool marked = !w.empty() && w[0] == kQuoted;
      out.back().arguments.push_back(marked ? w.substr(1) : w);
    }
  }
  return out;
}

}  // namespace podshark::firewall
