// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace podshark::extcap::top {

/// A table that is fitted into a width: text columns are cut, then the columns of least importance are left
/// out.
struct TextTable {
  struct Column {
    std::string title;
    bool text = false;   ///< left-aligned, may be cut; else a number, right-aligned and never cut
    int importance = 9;  ///< 9: always shown
  };
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  ///< clean UTF-8, as many cells as columns

  /// Title line, then one per row. `width` 0: as wide as needed.
  [[nodiscard]] std::vector<std::string> lines(std::size_t width) const;
};

/// Characters on screen, every one counted as one column.
[[nodiscard]] std::size_t columns_of(const std::string& text);
/// At most `columns` characters, the last one "…" when something was lost.
[[nodiscard]] std::string cut(const std::string& text, std::size_t columns);

}  // namespace podshark::extcap::top
