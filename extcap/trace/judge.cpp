// SPDX-License-Identifier: GPL-2.0-or-later
#include <netinet/in.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "extcap/trace/report.h"
#include "podman/core/text.h"

namespace podshark::extcap::tracing {
namespace {

using firewall::Hook;
using firewall::Maker;
using firewall::Ruleset;
using trace::End;
using trace::Headers;
using trace::Journey;

bool has_port(const Journey& j, std::uint16_t port) {
  return std::any_of(j.seen.begin(), j.seen.end(),
                     [port](const Headers& h) { return h.sport == port || h.dport == port; });
}

// Other clients use the service too; where a forwarder made another connection, there are only these.
void keep_probes_own(PlaceReport& out, const probing::ProbeResult& probe) {
  const std::uint16_t port = probe.attempt.local.port;
  if (port == 0) return;
  std::vector<Journey> own;
  std::copy_if(out.packets.all.begin(), out.packets.all.end(), std::back_inserter(own),
               [port](const Journey& j) { return has_port(j, port); });
  if (own.empty()) return;
  out.packets.all = std::move(own);
  out.probes = true;
}

Ruleset legacy_only(const Ruleset& rules) {
  Ruleset out;
  std::copy_if(rules.chains.begin(), rules.chains.end(), std::back_inserter(out.chains),
               [](const firewall::Chain& c) { return c.maker == Maker::iptables_legacy; });
  return out;
}

firewall::Packet packet_of(const Journey& j, const PlaceReport& place) {
  const Headers& h = j.seen.front();
  firewall::Packet p;
  p.family = h.v4 ? firewall::Family::ip : firewall::Family::ip6;
  p.saddr = h.src;
  p.daddr = h.dst;
  p.protocol = h.protocol;
  if (h.transport && (h.protocol == IPPROTO_TCP || h.protocol == IPPROTO_UDP)) {
    p.sport = h.sport;
    p.dport = h.dport;
    if (h.protocol == IPPROTO_TCP) p.tcp_flags = h.tcp_flags;
  } else if (h.transport) {
    p.icmp_type = h.icmp_type;
    p.icmp_code = h.icmp_code;
  }
  p.iif = link_name(place, j.iif);
  p.oif = link_name(place, j.oif);
  p.daddr_local = j.end == End::delivered;
  return p;
}

std::vector<Hook> hooks_of(const Journey& j) {
  if (j.begin == Hook::output) return {Hook::output, Hook::postrouting};
  if (j.end == End::delivered) return {Hook::prerouting, Hook::input};
  return {Hook::prerouting, Hook::forward, Hook::postrouting};
}

// What the hook makes of the packet, all makers' rules together: a translation may be anyone's.
firewall::Packet translated(const Ruleset& rules, Hook hook, const firewall::Packet& packet) {
  return firewall::judge(rules, hook, packet).packet;
}

JudgedHook judge_hook(const Ruleset& legacy, Hook hook, const firewall::Packet& packet) {
  const firewall::Judgement judged = firewall::judge(legacy, hook, packet);
  const bool dropped = judged.outcome != firewall::Outcome::accept;
  if (judged.uncertain.empty() || dropped)
    return {hook, firewall::to_string(judged.outcome), firewall::describe(judged.by)};
  return {hook, "accept, unless a rule matches that cannot be judged",
          firewall::describe(judged.uncertain.front())};
}

void judge_legacy(const Ruleset& rules, const Journey& j, const probing::ProbeResult& probe,
                  PlaceReport& out) {
  const Ruleset legacy = legacy_only(rules);
  firewall::Packet packet = packet_of(j, out);
  packet.daddr_local = packet.daddr_local == true || probe.aim.published;
  const std::string oif = packet.oif;
  for (const Hook hook : hooks_of(j)) {
    const bool inwards = hook == Hook::prerouting || hook == Hook::input;
    packet.oif = inwards ? std::string() : oif;
    JudgedHook told = judge_hook(legacy, hook, packet);
    const bool dropped = told.outcome == "drop" || told.outcome == "reject";
    out.judged.push_back(std::move(told));
    if (dropped) return;
    packet = translated(rules, hook, packet);
  }
}

void add_notes(const Recording& recording, PlaceReport& out) {
  if (recording.overruns != 0)
    out.notes.emplace_back(
        "the kernel had more to tell than it could deliver (ENOBUFS): steps may be missing");
  if (recording.left_out != 0 || out.packets.left_out)
    out.notes.emplace_back("there were more packets than are kept; the rest was left out");
  if (!recording.whole) out.notes.emplace_back("the tracer ended early: there may have been more");
  if (!recording.restored)
    out.notes.emplace_back("the logger could not be set back: see sysctl net.netfilter.nf_log");
  if (out.packets.unknown_rules)
    out.notes.emplace_back(
        "rules that could not be read, or were gone when they were, are told by their number");
}

const Journey* dropped(const PlaceReport& place, const probing::ProbeResult& probe, bool request) {
  for (const Journey& j : place.packets.all) {
    if ((j.end == End::dropped || j.end == End::taken) && is_request(j, probe) == request) return &j;
  }
  return nullptr;
}

std::string decided(const Report& report) {
  for (const bool request : {true, false}) {
    for (const PlaceReport& place : report.places) {
      const Journey* j = dropped(place, report.probe, request);
      if (j == nullptr) continue;
      const std::string what = j->verdict == "reject" ? "rejected"
                               : j->end == End::taken ? "taken"
                                                      : "dropped";
      return std::string(request ? "" : "the answer is ") + what + " in " + place.name + ", " +
             firewall::to_string(j->ended_at) + ", by: " + j->decided_by;
    }
  }
  for (const PlaceReport& place : report.places) {
    for (const JudgedHook& hook : place.judged) {
      if (hook.outcome == "drop" || hook.outcome == "reject") {
        return hook.outcome + " in " + place.name + ", " + firewall::to_string(hook.hook) +
               ", as its legacy rules read: " + hook.by;
      }
    }
  }
  return {};
}

std::size_t rules_met(const Report& report) {
  std::size_t out = 0;
  for (const PlaceReport& place : report.places) {
    for (const Journey& j : place.packets.all) {
      if (!is_request(j, report.probe)) continue;
      out += static_cast<std::size_t>(std::count_if(j.steps.begin(), j.steps.end(), [](const trace::Step& s) {
        return s.type == trace::Event::Type::rule;
      }));
      break;
    }
  }
  return out;
}

bool any_seen(const Report& report) {
  return std::any_of(report.places.begin(), report.places.end(),
                     [](const PlaceReport& p) { return !p.packets.all.empty(); });
}

std::string last_seen(const Report& report) {
  for (auto place = report.places.rbegin(); place != report.places.rend(); ++place) {
    for (auto j = place->packets.all.rbegin(); j != place->packets.all.rend(); ++j) {
      if (!is_request(*j, report.probe)) continue;
      const std::string where = "last seen in " + place->name + ", where it ";
      if (j->end == End::delivered) return where + "was delivered to its sockets";
      if (j->end == End::left) return where + "left by " + link_name(*place, j->oif);
      return where + "vanished without a rule: routing or a check of the kernel's";
    }
  }
  return {};
}

}  // namespace

std::string link_name(const PlaceReport& place, std::uint32_t index) {
  if (index == 0) return {};
  const auto found = place.links.find(index);
  return found == place.links.end() ? "link " + std::to_string(index) : one_line(found->second, 20);
}

bool is_request(const Journey& j, const probing::ProbeResult& probe) {
  const Headers& h = j.seen.front();
  if (h.protocol == IPPROTO_ICMP || h.protocol == IPPROTO_ICMPV6)
    return h.icmp_type == 8 || h.icmp_type == 128;
  const probing::Aim& aim = probe.aim;
  if (h.dst == aim.to.address && h.dport == aim.to.port) return true;
  const std::uint16_t port = probe.attempt.local.port;
  if (port != 0 && (h.sport == port || h.dport == port)) return h.sport == port;
  const std::vector<std::uint16_t> published = published_ports(aim);
  return h.dport == aim.container_port ||
         std::find(published.begin(), published.end(), h.dport) != published.end();
}

PlaceReport judge_place(const TracePlace& place, const Recording& recording, const trace::Rulebook& rules,
                        const probing::ProbeResult& probe) {
  PlaceReport out;
  out.name = place.name;
  out.packets = trace::journeys(recording.events, rules);
  out.links = recording.links;
  out.no_legacy = recording.no_legacy;
  keep_probes_own(out, probe);
  if (!out.no_legacy.empty()) {
    const auto first = std::find_if(out.packets.all.begin(), out.packets.all.end(),
                                    [&](const Journey& j) { return is_request(j, probe); });
    if (first != out.packets.all.end()) judge_legacy(rules.before, *first, probe, out);
  }
  add_notes(recording, out);
  return out;
}

bool forwarded_in_vain(const Report& report) {
  for (const PlaceReport& place : report.places) {
    if (place.probes || !report.probe.aim.published) continue;
    const bool arrived =
        std::any_of(place.packets.all.begin(), place.packets.all.end(),
                    [&](const Journey& j) { return j.end == End::delivered && is_request(j, report.probe); });
    if (!arrived && dropped(place, report.probe, true) != nullptr) return true;
  }
  return false;
}

probing::Verdict others_verdict(const Report& report) {
  if (!decided(report).empty()) return probing::Verdict::failed;
  return any_seen(report) ? probing::Verdict::ok : probing::Verdict::not_measured;
}

std::string summarise(const Report& report) {
  const std::string who = decided(report);
  if (!who.empty() && report.probe.ok() && forwarded_in_vain(report))
    return "a forwarder accepted the probe, but its own connection is " + who;
  if (!who.empty()) return who;
  const bool seen = any_seen(report);
  if (report.others && !seen) return "nobody sent a packet to it meanwhile, or none that was traced";
  const std::size_t rules = rules_met(report);
  if (report.probe.ok() && rules == 0) return "it came through, and met no rule where it was traced";
  if (!seen) {
    return "no packet was seen where it was traced: it did not get that far, or another process carries it "
           "(rootlessport, slirp4netns, pasta)";
  }
  if (report.probe.ok())
    return "it came through: " + std::to_string(rules) + (rules == 1 ? " rule was met" : " rules were met") +
           ", none stopped it";
  std::string out = "no rule stopped it";
  if (!report.untraced.empty()) out += " where it was traced";
  const std::string last = last_seen(report);
  return last.empty() ? out : out + "; " + last;
}

}  // namespace podshark::extcap::tracing
