// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/check/records.h"

#include "podman/core/text.h"

namespace podshark::extcap::check {
namespace {

using diagnose::Finding;
using diagnose::Severity;

constexpr std::string_view kContainer = "container ";
constexpr std::size_t kMaxText = 300;

annotate::Event record(const std::string& id, std::int64_t now_ns) {
  annotate::Event out;
  out.kind = "check";
  out.id = id;
  out.time_ns = now_ns;
  return out;
}

// The same trouble of several containers is one finding of "container web, container db"; a record is looked
// for by the container that it names.
std::vector<std::string> subjects(const Finding& f) {
  std::vector<std::string> out;
  for (const std::string& part : split(f.subject, ',')) out.emplace_back(trim(part));
  return out;
}

annotate::Event of(const Finding& f, const std::string& subject, const std::string& id, std::int64_t now_ns) {
  annotate::Event out = record(id, now_ns);
  out.what = f.id;
  out.verdict = f.severity == Severity::error ? "failed" : "warning";
  if (subject.starts_with(kContainer)) out.container = subject.substr(kContainer.size());
  out.detail = one_line(subject + ": " + f.what, kMaxText);
  if (!f.fix.empty()) out.fix = one_line(f.fix.front(), kMaxText);
  return out;
}

}  // namespace

std::vector<annotate::Event> records(const std::string& asked, const diagnose::Findings& findings,
                                     const std::string& id, std::int64_t now_ns) {
  std::vector<annotate::Event> out;
  std::size_t wrong = 0;
  for (const Finding& f : findings) {
    if (f.severity == Severity::info) continue;
    ++wrong;
    for (const std::string& subject : subjects(f)) {
      if (out.size() < kMaxRecords) out.push_back(of(f, subject, id, now_ns));
    }
  }
  annotate::Event sum = record(id, now_ns);
  sum.what = "checked";
  sum.verdict = wrong == 0 ? "ok" : "failed";
  sum.detail = one_line("check" + (asked.empty() ? std::string() : " " + asked), kMaxText) + ": " +
               (wrong == 0   ? std::string("nothing is wrong")
                : wrong == 1 ? std::string("1 finding")
                             : std::to_string(wrong) + " findings");
  out.push_back(std::move(sum));
  return out;
}

}  // namespace podshark::extcap::check
