// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <charconv>

#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace lsm_denied {

constexpr std::int64_t kBeforeStart = 10;  // seconds: a start takes a while until podman notes its time
constexpr std::int64_t kRecent = 3600;     // of what is gone already, as of "podman run --rm"

// Seconds since 1970 of "… msg=audit(1732692000.123:45): …".
std::optional<std::int64_t> time_of(const std::string& line) {
  constexpr std::string_view kMark = "audit(";
  const std::size_t at = line.find(kMark);
  std::int64_t out = 0;
  if (at == std::string::npos) return std::nullopt;
  const char* begin = line.data() + at + kMark.size();
  const auto [end, error] = std::from_chars(begin, line.data() + line.size(), out);
  return error == std::errc{} && end != begin ? std::optional(out) : std::nullopt;
}

// The log keeps lines for months: what was denied before the containers in question started is no matter of
// theirs.
std::int64_t since(const Facts& facts) {
  std::int64_t out = facts.inventory.time_ns / 1'000'000'000 - kRecent;
  const auto add = [&](const ContainerFacts& c) {
    const std::int64_t began = std::max(c.container->started_at, c.container->created_at);
    if (began != 0) out = std::min(out, began - kBeforeStart);
  };
  each_running(facts, add);
  each_not_started(facts, add);
  return out;
}

void check(const Facts& facts, Findings& out) {
  std::vector<std::string> lines;
  const std::int64_t from = since(facts);
  for (const std::string& line : facts.security_log) {
    if (time_of(line).value_or(from) >= from) lines.push_back(line);
  }
  if (lines.empty()) return;
  Finding f = finding(kLsmDenied.id, Severity::warning, "the host",
                      "a security module has denied something to podman's network programs");
  f.certainty = 60;
  f.evidence = lines;
  f.fix = {
      "install the distribution's policy package (container-selinux, passt-selinux, AppArmor profiles of "
      "passt and netavark)"};
  out.push_back(std::move(f));
}

}  // namespace lsm_denied

const Check kLsmDenied{"lsm.denied", "SELinux or AppArmor denied something",
                       "pasta, netavark or the access to a namespace is refused at the start of a container. "
                       "Proof: AVC or AppArmor "
                       "records in the audit log that name pasta, passt, netavark or aardvark-dns.",
                       lsm_denied::check};

}  // namespace podshark::diagnose
