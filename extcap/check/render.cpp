// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/check/render.h"

#include <algorithm>
#include <ostream>

#include "extcap/report.h"
#include "podman/annotate/codec.h"
#include "podman/core/text.h"

namespace podshark::extcap::check {
namespace {

using diagnose::Finding;
using diagnose::Severity;

const char* to_string(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::info:
      break;
  }
  return "note";
}

ReportItem item_of(const Finding& f, bool whole) {
  ReportItem item;
  item.level = to_string(f.severity);
  item.subject = f.subject;
  item.fact = f.what;
  item.id = f.id;
  item.under = f.follows_from;
  if (whole) {
    item.evidence = f.evidence;
    item.fix = f.fix;
  }
  return item;
}

std::string list_json(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out += ',';
    out += json_string(text, kLongestReportLine);
  }
  return out + "]";
}

std::string question_json(const diagnose::Facts& facts) {
  const diagnose::Question& q = facts.question;
  std::string out = "{";
  const auto put = [&](const char* key, const std::string& value) {
    if (value.empty()) return;
    if (out.size() > 1) out += ',';
    out += std::string("\"") + key + "\":" + json_string(value, 256);
  };
  put("from", q.from);
  put("target", q.target);
  put("address", q.address ? q.address->text() : std::string());
  if (q.port) out += std::string(out.size() > 1 ? "," : "") + "\"port\":" + std::to_string(*q.port);
  put("protocol", q.asked() ? q.protocol : std::string());
  return out + "}";
}

std::size_t count(const diagnose::Findings& findings, Severity severity) {
  return static_cast<std::size_t>(std::count_if(findings.begin(), findings.end(),
                                                [&](const Finding& f) { return f.severity == severity; }));
}

}  // namespace

void write_text(const diagnose::Facts& facts, const diagnose::Findings& findings, bool notes,
                std::ostream& out) {
  std::vector<ReportItem> items;
  for (const Finding& f : findings) items.push_back(item_of(f, notes || f.severity != Severity::info));
  for (const diagnose::Unseen& u : facts.unseen) {
    ReportItem item;
    item.level = "unseen";
    item.subject = u.what;
    item.fact = u.why;
    if (!u.hint.empty()) item.fix.push_back(u.hint);
    items.push_back(std::move(item));
  }
  write_items(items, out);
  const auto running = std::count_if(facts.containers.begin(), facts.containers.end(),
                                     [](const auto& c) { return c.container->alive(); });
  out << running << " running containers, " << diagnose::all_checks().size()
      << " checks: " << count(findings, Severity::error) << " errors, " << count(findings, Severity::warning)
      << " warnings, " << count(findings, Severity::info) << " notes"
      << (facts.unseen.empty() ? "" : "; not everything could be seen") << '\n';
}

void write_json(const diagnose::Facts& facts, const diagnose::Findings& findings, std::ostream& out) {
  out << "{\"podshark\":1,\"kind\":\"check\",\"time\":\"" << annotate::rfc3339(facts.inventory.time_ns)
      << "\",\"question\":" << question_json(facts) << ",\"findings\":[";
  const char* separator = "\n";
  for (const Finding& f : findings) {
    out << separator << "{\"id\":" << json_string(f.id, 64) << ",\"severity\":\"" << to_string(f.severity)
        << "\",\"subject\":" << json_string(f.subject, kLongestReportLine)
        << ",\"what\":" << json_string(f.what, kLongestReportLine) << ",\"certainty\":" << f.certainty
        << ",\"evidence\":" << list_json(f.evidence) << ",\"fix\":" << list_json(f.fix);
    if (!f.follows_from.empty()) out << ",\"follows_from\":" << json_string(f.follows_from, 64);
    out << '}';
    separator = ",\n";
  }
  out << "\n],\"unseen\":[";
  separator = "\n";
  for (const diagnose::Unseen& u : facts.unseen) {
    out << separator << "{\"what\":" << json_string(u.what, kLongestReportLine)
        << ",\"why\":" << json_string(u.why, kLongestReportLine)
        << ",\"hint\":" << json_string(u.hint, kLongestReportLine) << '}';
    separator = ",\n";
  }
  out << "\n]}\n";
}

void write_explanation(const diagnose::Check& check, std::ostream& out) {
  out << check.id << ": " << check.title << "\n\n";
  constexpr std::size_t kWidth = 100;
  std::string line;
  for (const std::string& word : split(check.explain, ' ')) {
    if (!line.empty() && line.size() + 1 + word.size() > kWidth) {
      out << line << '\n';
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  out << line << '\n';
}

}  // namespace podshark::extcap::check
