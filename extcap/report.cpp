// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/report.h"

#include <algorithm>
#include <iomanip>
#include <ostream>

#include "podman/core/text.h"

namespace podshark::extcap {

void write_items(const std::vector<ReportItem>& items, std::ostream& out) {
  std::size_t width = 4;
  for (const ReportItem& item : items) width = std::max(width, item.level.size());
  const std::string indent(width + 1, ' ');
  const auto lines = [&](const char* word, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) out << indent << word << one_line(text, kLongestReportLine) << '\n';
  };
  for (const ReportItem& item : items) {
    out << std::left << std::setw(static_cast<int>(width) + 1) << item.level
        << one_line(item.subject + ": " + item.fact, kLongestReportLine);
    if (!item.id.empty()) out << "  [" << item.id << ']';
    out << '\n';
    if (!item.under.empty()) out << indent << "follows from " << item.under << '\n';
    lines("seen: ", item.evidence);
    lines("fix: ", item.fix);
  }
}

}  // namespace podshark::extcap
