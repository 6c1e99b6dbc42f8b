// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/trace/journey.h"

#include <algorithm>
#include <utility>

#include "podman/core/text.h"
#include "podman/trace/own_table.h"

namespace podshark::trace {
namespace {

using firewall::Action;
using firewall::Chain;
using firewall::effective_priority;
using firewall::Hook;
using firewall::Maker;
using firewall::Place;
using firewall::Policy;
using firewall::Ruleset;

int rank(Hook hook) {
  switch (hook) {
    case Hook::ingress:
      return -1;
    case Hook::input:
    case Hook::forward:
      return 1;
    case Hook::postrouting:
      return 2;
    case Hook::egress:
      return 3;
    default:
      return 0;
  }
}

// What iptables gives its tables (linux/netfilter_ipv4.h).
std::int64_t legacy_priority(const std::string& table, Hook hook) {
  if (table == "raw") return -300;
  if (table == "mangle") return -150;
  if (table == "nat") return hook == Hook::prerouting || hook == Hook::output ? -100 : 100;
  return table == "security" ? 50 : 0;
}

const Chain* find_chain(const Ruleset& rules, const Event& e) {
  const auto it = std::find_if(rules.chains.begin(), rules.chains.end(), [&](const Chain& c) {
    return c.name == e.chain && c.table == e.table && c.family == e.family &&
           (c.maker == Maker::iptables_legacy) == e.legacy;
  });
  return it == rules.chains.end() ? nullptr : &*it;
}

const firewall::Rule* find_rule(const Chain& chain, const Event& e) {
  for (const firewall::Rule& r : chain.rules) {
    if (e.legacy ? r.number == e.number : e.handle != 0 && r.handle == e.handle) return &r;
  }
  return nullptr;
}

bool names_rule(const Event& e) {
  return e.type == Event::Type::rule;
}

bool same_end(const Headers& a, const Headers& b) {
  return a.src == b.src && a.dst == b.dst && a.sport == b.sport && a.dport == b.dport;
}

const char* action_word(const firewall::Rule& rule) {
  return rule.statements.empty() ? "continue" : firewall::to_string(rule.statements.back().action);
}

bool rejects(const Place& place) {
  return place.rule != nullptr &&
         std::any_of(place.rule->statements.begin(), place.rule->statements.end(),
                     [](const firewall::Statement& s) { return s.action == Action::reject; });
}

// The kernel does not tell the verdict of a legacy rule; it is the rule's target.
Verdict legacy_verdict(const Event& e, const Place& place) {
  if (e.type == Event::Type::policy) {
    if (place.chain == nullptr) return Verdict::none;
    return place.chain->policy == Policy::drop ? Verdict::drop : Verdict::accept;
  }
  if (e.type == Event::Type::ret) return Verdict::ret;
  if (place.rule == nullptr || place.rule->statements.empty()) return Verdict::none;
  switch (place.rule->statements.back().action) {
    case Action::drop:
    case Action::reject:
      return Verdict::drop;
    case Action::queue:
      return Verdict::queue;
    default:
      return Verdict::none;
  }
}

std::string what_of(const Event& e, const Place& place) {
  if (e.legacy && e.type == Event::Type::rule) {
    if (place.rule == nullptr) return {};
    const auto& all = place.rule->statements;
    const bool leads =
        !all.empty() && (all.back().action == Action::jump || all.back().action == Action::go_to);
    return one_line(action_word(*place.rule) + (leads ? " " + all.back().target : ""), firewall::kMaxName);
  }
  const Verdict verdict = e.legacy ? legacy_verdict(e, place) : e.verdict;
  if (verdict == Verdict::drop && rejects(place)) return "reject";
  std::string out = to_string(verdict);
  if (verdict == Verdict::jump || verdict == Verdict::go_to) out += " " + e.target;
  return one_line(out, firewall::kMaxName);
}

std::string text_of(const Event& e, const Place& place, Verdict verdict) {
  if (place.rule != nullptr) return place.rule->text;
  if (e.type == Event::Type::policy) return std::string("policy ") + to_string(verdict);
  if (e.type == Event::Type::ret) return "end of the chain";
  return "a rule that could not be read (" +
         (e.legacy ? "number " + std::to_string(e.number) : "handle " + std::to_string(e.handle)) + ")";
}

std::string where_of(const Event& e, const Place& place) {
  if (place.chain != nullptr) return firewall::place(*place.chain);
  Chain unknown;
  unknown.family = e.family;
  unknown.table = e.table;
  unknown.name = e.chain;
  unknown.maker = e.legacy ? Maker::iptables_legacy : Maker::nft;
  return firewall::place(unknown);
}

class Reader {
 public:
  explicit Reader(const Rulebook& book) : book_(book) {}
  Journeys read(const std::vector<Event>& events);

 private:
  void take_nft(const Event& e);
  void take_legacy(const Event& e);
  void take_own(const Event& e);
  Journey* of_number(std::uint32_t id);
  Journey* of_headers(const Headers& headers);
  Journey* continued(const Event& e);
  Journey* of_legacy(const Event& e);
  Journey* start(const Event& e, Hook hook);
  Place find(const Event& e);
  Step make_step(const Event& e, const Place& place) const;
  static void look(Journey& j, const Event& e, Step* step);
  static void conclude(Journey& j, const Event& e, const Place& place, const Step& step);

  const Rulebook& book_;
  Journeys out_;
};

Place Reader::find(const Event& e) {
  Place out;
  for (const Ruleset* rules : {&book_.before, &book_.after}) {
    const Chain* chain = find_chain(*rules, e);
    if (chain == nullptr) continue;
    out.chain = chain;
    out.rule = names_rule(e) ? find_rule(*chain, e) : nullptr;
    if (out.rule != nullptr || !names_rule(e)) return out;
  }
  out_.unknown_rules = true;
  return out;
}

Journey* Reader::of_number(std::uint32_t id) {
  for (auto it = out_.all.rbegin(); it != out_.all.rend(); ++it) {
    if (it->id == id) return &*it;
  }
  return nullptr;
}

bool was_seen(const Journey& j, const Headers& headers) {
  return std::any_of(j.seen.begin(), j.seen.end(), [&](const Headers& h) { return same_packet(h, headers); });
}

Journey* Reader::of_headers(const Headers& headers) {
  for (auto it = out_.all.rbegin(); it != out_.all.rend(); ++it) {
    if (it->end != End::dropped && was_seen(*it, headers)) return &*it;
  }
  return nullptr;
}

// The packet that an event with headers goes on with. Its number may be another one than at the hook before:
// the kernel makes it of things that routing changes.
Journey* Reader::continued(const Event& e) {
  Journey* j = of_number(e.id);
  if (j != nullptr && (j->end == End::dropped || !was_seen(*j, *e.headers))) j = nullptr;
  if (j == nullptr) j = of_headers(*e.headers);
  if (j != nullptr) j->id = e.id;
  return j;
}

// What goes over loopback is sent and received under the same headers.
bool meets(const Journey& j, Hook hook) {
  if (hook == Hook::postrouting || j.begin == Hook::none) return true;
  return (hook == Hook::output) == (j.begin == Hook::output);
}

// The first packet with these headers that has not been here yet.
Journey* Reader::of_legacy(const Event& e) {
  const std::string where = where_of(e, find(e));
  for (Journey& j : out_.all) {
    const bool same = was_seen(j, *e.headers);
    const bool been = std::any_of(j.steps.begin(), j.steps.end(), [&](const Step& s) {
      return s.legacy && s.hook == e.hook && s.number == e.number && s.type == e.type && s.where == where;
    });
    if (same && !been && meets(j, e.hook)) return &j;
  }
  return nullptr;
}

Journey* Reader::start(const Event& e, Hook hook) {
  if (!e.headers) return nullptr;
  if (out_.all.size() >= kMaxJourneys) {
    out_.left_out = true;
    return nullptr;
  }
  Journey j;
  j.id = e.id;
  j.begin = hook;
  out_.all.push_back(std::move(j));
  return &out_.all.back();
}

// Notes the headers that come with an event, and in its step what has changed.
void Reader::look(Journey& j, const Event& e, Step* step) {
  if (e.iif != 0 && j.iif == 0) j.iif = e.iif;
  if (e.oif != 0) j.oif = e.oif;
  if (!e.headers) return;
  const bool changed = j.seen.empty() || !same_end(j.seen.back(), *e.headers);
  if (changed && !j.seen.empty() && step != nullptr)
    step->now = source_text(*e.headers) + " → " + destination_text(*e.headers);
  if (changed) j.seen.push_back(*e.headers);
}

Step Reader::make_step(const Event& e, const Place& place) const {
  Step s;
  s.type = e.type;
  s.legacy = e.legacy;
  s.number = e.number;
  s.where = where_of(e, place);
  s.text = text_of(e, place, e.legacy ? legacy_verdict(e, place) : e.verdict);
  s.what = what_of(e, place);
  return s;
}

void Reader::conclude(Journey& j, const Event& e, const Place& place, const Step& step) {
  const Verdict verdict = e.legacy ? legacy_verdict(e, place) : e.verdict;
  if (verdict == Verdict::drop) {
    j.end = End::dropped;
    j.verdict = rejects(place) ? "reject" : "drop";
  } else if (verdict == Verdict::queue || verdict == Verdict::stolen) {
    j.end = End::taken;
    j.verdict = to_string(verdict);
  } else {
    return;
  }
  j.ended_at = step.hook;
  const bool known = place.chain != nullptr && (place.rule != nullptr || !names_rule(e));
  j.decided_by = known ? firewall::describe(place) : step.where + ": " + step.text;
}

void Reader::take_own(const Event& e) {
  const Hook hook = own_hook(e.chain);
  if (!e.headers) return;
  const bool begins = hook == Hook::prerouting || hook == Hook::output;
  Journey* j = begins ? nullptr : continued(e);
  if (j == nullptr) j = start(e, hook);
  if (j == nullptr) return;
  look(*j, e, nullptr);
  if (hook == Hook::input) j->end = End::delivered;
  if (hook == Hook::postrouting) j->end = End::left;
  if (!begins) j->ended_at = hook;
}

void Reader::take_nft(const Event& e) {
  if (e.table == book_.own) return take_own(e);
  if (is_own_table(e.table) && e.verdict != Verdict::drop) return;  // another trace that runs now
  const Place place = find(e);
  const bool base = e.headers.has_value();
  Journey* j = base ? continued(e) : of_number(e.id);
  const bool known = place.chain != nullptr && place.chain->hook != Hook::none;
  if (j == nullptr) j = start(e, known ? place.chain->hook : Hook::none);
  if (j == nullptr || j->steps.size() >= kMaxSteps) return;
  Step step = make_step(e, place);
  if (base && known) {
    step.hook = place.chain->hook;
    step.priority = effective_priority(*place.chain);
  } else if (!j->steps.empty()) {
    step.hook = j->steps.back().hook;
    step.priority = j->steps.back().priority;
  } else {
    step.hook = j->begin;
  }
  look(*j, e, &step);
  conclude(*j, e, place, step);
  j->steps.push_back(std::move(step));
}

void Reader::take_legacy(const Event& e) {
  const Place place = find(e);
  Journey* j = of_legacy(e);
  if (j == nullptr) j = start(e, e.hook);
  if (j == nullptr || j->steps.size() >= kMaxSteps) return;
  Step step = make_step(e, place);
  step.hook = e.hook;
  step.priority = legacy_priority(e.table, e.hook);
  const bool fresh = j->seen.empty();
  if (fresh) look(*j, e, nullptr);
  const auto later = std::find_if(j->steps.begin(), j->steps.end(), [&](const Step& s) {
    return std::pair(rank(s.hook), s.priority) > std::pair(rank(step.hook), step.priority);
  });
  const bool last = later == j->steps.end();
  if (last && !fresh && j->end == End::lost) look(*j, e, &step);
  conclude(*j, e, place, step);
  j->steps.insert(later, std::move(step));
}

Journeys Reader::read(const std::vector<Event>& events) {
  for (const Event& e : events) {
    if (!e.legacy) take_nft(e);
  }
  for (const Event& e : events) {
    if (e.legacy && e.headers) take_legacy(e);
  }
  return std::move(out_);
}

}  // namespace

Journeys journeys(const std::vector<Event>& events, const Rulebook& rules) {
  return Reader(rules).read(events);
}

const char* to_string(End end) {
  switch (end) {
    case End::dropped:
      return "dropped";
    case End::taken:
      return "taken";
    case End::delivered:
      return "delivered";
    case End::left:
      return "left";
    case End::lost:
      break;
  }
  return "lost";
}

const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::accept:
      return "accept";
    case Verdict::drop:
      return "drop";
    case Verdict::stolen:
      return "stolen";
    case Verdict::queue:
      return "queue";
    case Verdict::go_on:
      return "continue";
    case Verdict::jump:
      return "jump";
    case Verdict::go_to:
      return "goto";
    case Verdict::ret:
      return "return";
    case Verdict::none:
      break;
  }
  return "";
}

}  // namespace podshark::trace
