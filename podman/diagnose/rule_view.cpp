// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/rule_view.h"

#include "podman/core/text.h"
#include "podman/diagnose/ways.h"

namespace podshark::diagnose {
namespace {

constexpr const char* kLeaving = "the source address of its connections to the outside";

std::string dnat_of(const Attempt& a) {
  if (a.way != Way::arriving || a.judgement.nat.rule == nullptr) return {};
  const firewall::Packet& p = a.judgement.packet;
  return "DNAT to " + p.daddr.text() + (p.dport ? ":" + std::to_string(*p.dport) : std::string());
}

// "counter packets 3 bytes 180" → "counter": what a rule says is told, not how often it has.
std::string without_counts(const std::string& text) {
  const std::vector<std::string> words = split(text, ' ');
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += ' ';
    out += words[i];
    if (words[i] == "counter" && i + 3 < words.size() && words[i + 1] == "packets") i += 4;
  }
  return out;
}

std::string blocked_by(const Attempt& a) {
  if (!a.blocked()) return {};
  return std::string(firewall::to_string(a.judgement.outcome)) + " by " +
         without_counts(firewall::describe(a.judgement.by));
}

WayView leaving(const Facts& facts, const ContainerFacts& c, const Attempt& outward) {
  const firewall::Judgement judged =
      firewall::judge(*facts.where(c.place).firewall, firewall::Hook::postrouting, outward.judgement.packet);
  return {judged.nat.rule != nullptr ? "masquerade" : "", {}};
}

RuleView view_of(const Facts& facts, const ContainerFacts& c) {
  RuleView out{c.container->id, c.container->name, {}};
  for (const Attempt& a : attempts(facts, c)) {
    if (!a.judgement.complete) continue;  // neither blocked nor not
    out.ways[a.text] = {dnat_of(a), blocked_by(a)};
    if (a.way == Way::outward && !a.blocked()) out.ways[kLeaving] = leaving(facts, c, a);
  }
  return out;
}

void compare(const RuleView& of, const std::string& way, const WayView& old, const WayView& now,
             std::vector<RuleChange>& out) {
  const std::string who = "container " + of.name + ": " + way + ": ";
  const auto add = [&](const char* what, const std::string& detail, bool worse) {
    out.push_back({of.id, of.name, what, who + detail, worse});
  };
  if (old.translation != now.translation) {
    if (now.translation.empty()) {
      add("translation-vanished", old.translation + " vanished", true);
    } else if (old.translation.empty()) {
      add("translation-appeared", now.translation + " appeared", false);
    } else {
      add("translation-changed", now.translation + ", it was " + old.translation, true);
    }
  }
  if (old.blocked_by == now.blocked_by) return;
  if (now.blocked_by.empty()) {
    add("unblocked", "passes again, it was " + old.blocked_by, false);
  } else {
    add("blocked", "now " + now.blocked_by, old.blocked_by.empty());
  }
}

}  // namespace

RuleViews rule_views(const Facts& facts) {
  RuleViews out;
  for (const ContainerFacts& c : facts.containers) {
    if (!c.container->alive() || !c.bridged() || shares(facts, c) || !facts.where(c.place).firewall) continue;
    out[c.container->pid] = view_of(facts, c);
  }
  return out;
}

std::vector<RuleChange> changes(const RuleViews& before, const RuleViews& after) {
  std::vector<RuleChange> out;
  for (const auto& [pid, now] : after) {
    const auto old = before.find(pid);
    if (old == before.end() || old->second.id != now.id) continue;
    for (const auto& [way, view] : now.ways) {
      const auto was = old->second.ways.find(way);
      if (was != old->second.ways.end()) compare(now, way, was->second, view, out);
    }
  }
  return out;
}

}  // namespace podshark::diagnose
