// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/certainty.h"

#include <algorithm>

namespace podshark::diagnose {
namespace {

using firewall::Action;

template <typename Is>
bool any_action(const firewall::Statement& s, Is is) {
  if (s.results.empty()) return is(s.action);
  return std::any_of(s.results.begin(), s.results.end(),
                     [&](const firewall::Statement& row) { return is(row.action); });
}

template <typename Is>
bool any_action(const firewall::Rule& rule, Is is) {
  return std::any_of(rule.statements.begin(), rule.statements.end(),
                     [&](const firewall::Statement& s) { return any_action(s, is); });
}

bool blocks(Action a) {
  return a == Action::drop || a == Action::reject || a == Action::nothing;
}

// Ends its own base chain, but changes nothing of the packet that other tables see.
bool stays_in_table(Action a) {
  return blocks(a) || a == Action::accept || a == Action::ret;
}

bool may_save(const firewall::Place& doubtful, const firewall::Chain& blocking) {
  const firewall::Chain& chain = *doubtful.chain;
  const bool same_table = chain.family == blocking.family && chain.table == blocking.table &&
                          (chain.maker == firewall::Maker::iptables_legacy) ==
                              (blocking.maker == firewall::Maker::iptables_legacy);
  return any_action(*doubtful.rule, [&](Action a) { return same_table ? !blocks(a) : !stays_in_table(a); });
}

bool gave_up(const Facts& facts, const ContainerFacts& c) {
  const std::vector<Attempt> all = attempts(facts, c);
  return std::any_of(all.begin(), all.end(), [](const Attempt& a) { return !a.judgement.complete; });
}

// A rule that asks what is not known of the packet and, if it fits, may let it pass what blocks it. All null
// without.
firewall::Place undecided(const Attempt& attempt) {
  const firewall::Judgement& j = attempt.judgement;
  if (!attempt.blocked() || j.by.chain == nullptr) return {};
  const auto found = std::find_if(j.uncertain.begin(), j.uncertain.end(),
                                  [&](const firewall::Place& p) { return may_save(p, *j.by.chain); });
  return found == j.uncertain.end() ? firewall::Place{} : *found;
}

}  // namespace

bool surely_blocked(const Attempt& attempt) {
  return attempt.blocked() && undecided(attempt).rule == nullptr;
}

const Attempt* surest(const std::vector<Attempt>& attempts,
                      const std::function<bool(const Attempt&)>& wanted) {
  const Attempt* first = nullptr;
  for (const Attempt& a : attempts) {
    if (!a.blocked() || !wanted(a)) continue;
    if (surely_blocked(a)) return &a;
    if (first == nullptr) first = &a;
  }
  return first;
}

void weigh(const Attempt& attempt, Finding& finding) {
  const firewall::Place rule = undecided(attempt);
  if (rule.rule == nullptr) return;
  if (finding.severity == Severity::error) finding.severity = Severity::warning;
  finding.certainty = std::min(finding.certainty, 50);
  finding.evidence.push_back("not sure: what it asks is not known here of " + firewall::describe(rule) +
                             ", which may let it pass");
}

std::vector<Unseen> not_judged(const Facts& facts) {
  std::vector<Unseen> out;
  each_bridged(facts, [&](const ContainerFacts& c) {
    if (out.empty() && gave_up(facts, c))
      out.push_back({"what the firewall's rules do to the packets of " + c.subject(),
                     "there are too many rules, or too many that ask what is not known here, to follow them",
                     "'podshark trace' shows what real packets meet"});
  });
  return out;
}

}  // namespace podshark::diagnose
