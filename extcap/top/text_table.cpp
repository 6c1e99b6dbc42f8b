// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/top/text_table.h"

#include <algorithm>
#include <numeric>

namespace podshark::extcap::top {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastText = 8;

bool continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
}

struct Layout {
  std::vector<std::size_t> shown;   // indices of columns
  std::vector<std::size_t> widths;  // of all columns

  [[nodiscard]] std::size_t total() const {
    std::size_t sum = shown.empty() ? 0 : (shown.size() - 1) * kGap;
    for (const std::size_t i : shown) sum += widths[i];
    return sum;
  }
};

Layout natural_layout(const TextTable& table) {
  Layout out;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    std::size_t width = columns_of(table.columns[i].title);
    for (const auto& row : table.rows) width = std::max(width, columns_of(row[i]));
    out.shown.push_back(i);
    out.widths.push_back(width);
  }
  return out;
}

// Takes a character from the widest text column; false when none can give one.
bool narrow(const TextTable& table, Layout& layout) {
  std::size_t* widest = nullptr;
  for (const std::size_t i : layout.shown) {
    std::size_t& w = layout.widths[i];
    if (table.columns[i].text && w > kLeastText && (widest == nullptr || w > *widest)) widest = &w;
  }
  if (widest != nullptr) --*widest;
  return widest != nullptr;
}

bool leave_one_out(const TextTable& table, Layout& layout) {
  const auto least = std::min_element(layout.shown.begin(), layout.shown.end(), [&](auto a, auto b) {
    return table.columns[a].importance < table.columns[b].importance;
  });
  if (least == layout.shown.end() || table.columns[*least].importance >= 9) return false;
  layout.shown.erase(least);
  return true;
}

Layout fitted_layout(const TextTable& table, std::size_t width) {
  const Layout natural = natural_layout(table);
  Layout out = natural;
  if (width == 0) return out;
  for (;;) {
    while (out.total() > width && narrow(table, out)) {
    }
    if (out.total() <= width || !leave_one_out(table, out)) return out;
    out.widths = natural.widths;
  }
}

}  // namespace

std::size_t columns_of(const std::string& text) {
  return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continuation));
}

std::string cut(const std::string& text, std::size_t columns) {
  if (columns_of(text) <= columns) return text;
  if (columns == 0) return {};
  std::size_t at = 0;
  for (std::size_t seen = 0; at < text.size(); ++at) {
    if (!continuation(text[at]) && seen++ == columns - 1) break;
  }
  return text.substr(0, at) + "\u2026";
}

std::vector<std::string> TextTable::lines(std::size_t width) const {
  const Layout layout = fitted_layout(*this, width);
  const auto line = [&](const auto& cell_of) {
    std::string out;
    for (const std::size_t i : layout.shown) {
      const std::string cell = cut(cell_of(i), layout.widths[i]);
      const std::string blanks(layout.widths[i] - columns_of(cell), ' ');
      out += (out.empty() ? "" : std::string(kGap, ' ')) + (columns[i].text ? cell + blanks : blanks + cell);
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return width == 0 ? out : cut(out, width);
  };
  std::vector<std::string> out{line([&](std::size_t i) { return columns[i].title; })};
  for (const auto& row : rows) out.push_back(line([&](std::size_t i) { return row[i]; }));
  return out;
}

}  // namespace podshark::extcap::top
