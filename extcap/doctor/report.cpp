// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/doctor/report.h"

#include <algorithm>
#include <array>
#include <ostream>

#include "extcap/report.h"
#include "podman/core/text.h"

namespace podshark::extcap::doctor {
namespace {

const char* to_string(Level level) {
  static constexpr std::array<const char*, 3> kNames = {"ok", "warn", "fail"};
  return kNames[static_cast<std::size_t>(level)];
}

std::ptrdiff_t count(const Findings& findings, Level level) {
  return std::count_if(findings.begin(), findings.end(), [&](const Finding& f) { return f.level == level; });
}

}  // namespace

bool any_failure(const Findings& findings) {
  return count(findings, Level::fail) > 0;
}

void write_text(const Findings& findings, std::ostream& out) {
  std::vector<ReportItem> items;
  for (const Finding& finding : findings) {
    ReportItem item;
    item.level = to_string(finding.level);
    item.subject = finding.topic;
    item.fact = finding.fact;
    if (!finding.fix.empty()) item.fix.push_back(finding.fix);
    items.push_back(std::move(item));
  }
  write_items(items, out);
  out << count(findings, Level::ok) << " ok, " << count(findings, Level::warn) << " warn, "
      << count(findings, Level::fail) << " fail\n";
}

void write_json(const Findings& findings, std::ostream& out) {
  out << '[';
  const char* separator = "\n";
  for (const Finding& finding : findings) {
    out << separator << "{\"topic\":" << json_string(finding.topic, kLongestReportLine) << ",\"level\":\""
        << to_string(finding.level) << "\",\"fact\":" << json_string(finding.fact, kLongestReportLine)
        << ",\"fix\":" << json_string(finding.fix, kLongestReportLine) << '}';
    separator = ",\n";
  }
  out << "\n]\n";
}

}  // namespace podshark::extcap::doctor
