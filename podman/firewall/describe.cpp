// SPDX-License-Identifier: GPL-2.0-or-later
// Judgements in words.
#include "podman/core/text.h"
#include "podman/firewall/evaluate.h"

namespace podshark::firewall {
namespace {

std::string end_text(const IpAddress& address, const std::optional<std::uint16_t>& port) {
  if (!port) return address.text();
  const bool v6 = !address.is_v4();
  return (v6 ? "[" : "") + address.text() + (v6 ? "]:" : ":") + std::to_string(*port);
}

const char* state_text(CtState state) {
  switch (state) {
    case CtState::fresh:
      return "new";
    case CtState::established:
      return "established";
    case CtState::related:
      return "related";
    case CtState::invalid:
      return "invalid";
    case CtState::untracked:
      break;
  }
  return "untracked";
}

}  // namespace

std::string to_string(const Packet& p) {
  std::string out = protocol_name(p.protocol) + " " + end_text(p.saddr, p.sport) + " → " +
                    end_text(p.daddr, p.dport) + " (";
  if (!p.iif.empty()) out += "iif " + p.iif + ", ";
  if (!p.oif.empty()) out += "oif " + p.oif + ", ";
  return one_line(out + state_text(p.ct_state) + ")", kMaxRuleText);
}

std::string describe(const Place& where) {
  if (where.chain == nullptr) return "no rules at this hook";
  const Chain& c = *where.chain;
  std::string out = place(c);
  if (c.hook != Hook::none) {
    out += std::string(" (hook ") + to_string(c.hook) + ", priority " + std::to_string(c.priority) + ")";
  }
  if (where.rule == nullptr) {
    out += c.policy == Policy::drop ? ": policy drop" : ": policy accept";
  } else {
    out += ": " + where.rule->text;
  }
  return one_line(out, 2 * kMaxRuleText);
}

std::optional<Counters> counters(const Place& where) {
  if (where.rule != nullptr) return where.rule->counters;
  return where.chain == nullptr ? std::nullopt : where.chain->policy_counters;
}

const char* to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::drop:
      return "drop";
    case Outcome::reject:
      return "reject";
    case Outcome::accept:
      break;
  }
  return "accept";
}

}  // namespace podshark::firewall
