// SPDX-License-Identifier: GPL-2.0-or-later
// What a trace came to, from recordings, rules and the probe's result; and how it is shown. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "extcap/probe/runner.h"
#include "extcap/probe/session.h"
#include "extcap/trace/places.h"
#include "extcap/trace/tracer.h"
#include "podman/firewall/ruleset.h"
#include "podman/trace/journey.h"

namespace podshark::extcap::tracing {

/// What legacy rules do by reading them, where the kernel would not tell.
struct JudgedHook {
  firewall::Hook hook = firewall::Hook::none;
  std::string outcome;  ///< "accept", "drop", "reject", or "may drop": it depends on what is not known
  std::string by;
};

struct PlaceReport {
  std::string name;
  trace::Journeys packets;
  bool probes = false;  ///< these are the probe's own packets, by its port; else whoever's
  std::map<std::uint32_t, std::string> links;
  std::string no_legacy;  ///< why legacy rules were judged instead
  std::vector<JudgedHook> judged;
  std::vector<std::string> notes;
};

struct Report {
  probing::ProbeResult probe;
  std::vector<PlaceReport> places;
  std::vector<Untraced> untraced;
  std::string summary;
  bool others = false;  ///< nothing was probed: the packets are other people's
};

/// The part of one namespace. `rules` are those read before and after.
[[nodiscard]] PlaceReport judge_place(const TracePlace& place, const Recording& recording,
                                      const trace::Rulebook& rules, const probing::ProbeResult& probe);
/// A forwarder accepted the probe, but its own connection to the service was dropped: that the probe is ok
/// proves nothing.
[[nodiscard]] bool forwarded_in_vain(const Report& report);
/// The probe was, and nothing speaks against it.
[[nodiscard]] inline bool came_through(const Report& report) {
  return report.probe.ok() && !forwarded_in_vain(report);
}
/// Of a report about others' packets: failed when a rule stopped one, ok when none did, else not_measured.
[[nodiscard]] probing::Verdict others_verdict(const Report& report);
/// One line: who decided.
[[nodiscard]] std::string summarise(const Report& report);

[[nodiscard]] std::vector<std::string> render_text(const Report& report);
/// One object, docs/FORMAT.md.
[[nodiscard]] std::string render_json(const Report& report);

/// "podman1", or "link 7"; empty for 0. Clean.
[[nodiscard]] std::string link_name(const PlaceReport& place, std::uint32_t index);
/// Packets towards the target, not the answers.
[[nodiscard]] bool is_request(const trace::Journey& packet, const probing::ProbeResult& probe);

}  // namespace podshark::extcap::tracing
