// SPDX-License-Identifier: GPL-2.0-or-later
// How `doctor` and `check` show what they found: one renderer for both. Texts are cleaned here.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace podshark::extcap {

/// One line of a report, and what hangs below it.
struct ReportItem {
  std::string level;    ///< "ok", "warn", "error", …: one word of up to seven letters
  std::string subject;  ///< "dumpcap", "container web"
  std::string fact;     ///< one sentence
  std::vector<std::string> evidence;
  std::vector<std::string> fix;
  std::string id;     ///< of the check, empty without
  std::string under;  ///< id of the item that this is a consequence of
};

/// "level subject: fact [id]", then a `seen:` line for each evidence and a `fix:` line for each step.
void write_items(const std::vector<ReportItem>& items, std::ostream& out);

inline constexpr std::size_t kLongestReportLine = 600;  ///< bytes; two long paths fit

}  // namespace podshark::extcap
