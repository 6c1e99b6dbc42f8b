// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/doctor/report.h"

#include <algorithm>
#include <array>
#include <iomanip>
#include <ostream>

#include "podman/core/text.h"

namespace podshark::extcap::doctor {
namespace {

constexpr std::size_t kLongestLine = 600;  // bytes; two long paths fit

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
  for (const Finding& finding : findings) {
    out << std::left << std::setw(5) << to_string(finding.level) << finding.topic << ": "
        << one_line(finding.fact, kLongestLine) << '\n';
    if (!finding.fix.empty()) out << "     fix: " << one_line(finding.fix, kLongestLine) << '\n';
  }
  out << count(findings, Level::ok) << " ok, " << count(findings, Level::warn) << " warn, "
      << count(findings, Level::fail) << " fail\n";
}

void write_json(const Findings& findings, std::ostream& out) {
  out << '[';
  const char* separator = "\n";
  for (const Finding& finding : findings) {
    out << separator << "{\"topic\":" << json_string(finding.topic, kLongestLine) << ",\"level\":\""
        << to_string(finding.level) << "\",\"fact\":" << json_string(finding.fact, kLongestLine)
        << ",\"fix\":" << json_string(finding.fix, kLongestLine) << '}';
    separator = ",\n";
  }
  out << "\n]\n";
}

}  // namespace podshark::extcap::doctor
