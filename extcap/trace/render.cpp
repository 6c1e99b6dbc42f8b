// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <utility>

#include "extcap/json_object.h"
#include "extcap/probe/render.h"
#include "extcap/trace/report.h"
#include "podman/annotate/codec.h"
#include "podman/core/text.h"

namespace podshark::extcap::tracing {
namespace {

using trace::End;
using trace::Event;
using trace::Journey;
using trace::Step;

constexpr std::size_t kLongestLine = 700;
constexpr std::size_t kShownSteps = 60;

class TextWriter {
 public:
  explicit TextWriter(const Report& report) : r_(report) {}
  std::vector<std::string> write();

 private:
  void line(int indent, const std::string& text) {
    out_.push_back(std::string(static_cast<std::size_t>(indent), ' ') + one_line(text, kLongestLine));
  }
  void place(const PlaceReport& p);
  void packet(const PlaceReport& p, const Journey& j);
  void step(const Step& s);
  void end(const PlaceReport& p, const Journey& j);
  [[nodiscard]] std::vector<const Journey*> chosen(const PlaceReport& p) const;
  [[nodiscard]] std::string nothing_seen(const PlaceReport& p) const;

  const Report& r_;
  std::vector<std::string> out_;
};

// The first of each direction, and the first that was stopped. What goes over loopback is seen twice, sent
// and received.
std::vector<const Journey*> TextWriter::chosen(const PlaceReport& p) const {
  std::vector<const Journey*> out;
  bool had[4] = {};
  bool stopped[4] = {};
  for (const Journey& j : p.packets.all) {
    const std::size_t way =
        (is_request(j, r_.probe) ? 0U : 1U) + (j.begin == firewall::Hook::output ? 0U : 2U);
    const bool ended = j.end == End::dropped || j.end == End::taken;
    if (had[way] && (!ended || stopped[way])) continue;
    had[way] = true;
    stopped[way] = stopped[way] || ended;
    out.push_back(&j);
  }
  return out;
}

std::string TextWriter::nothing_seen(const PlaceReport& p) const {
  if (r_.others) return "no packet was seen";
  const auto& to = r_.probe.aim.container;
  if (r_.probe.aim.published && to.rootless)
    return "no packet was seen: a process carries it (rootlessport, slirp4netns or pasta), so it may meet no "
           "rules here";
  if (p.name == "the host" || p.name == "the rootless networks")
    return "no packet was seen: within one bridge packets meet no rules, unless "
           "net.bridge.bridge-nf-call-iptables is 1";
  return "no packet was seen: it did not get here";
}

void TextWriter::step(const Step& s) {
  if (!s.now.empty()) line(4, "now " + s.now);
  if (s.type == Event::Type::ret) return;  // of interest to programs only
  std::string hook = firewall::to_string(s.hook);
  hook.resize(std::max<std::size_t>(hook.size(), 12), ' ');
  std::string text = hook + s.where + ": " + s.text;
  if (s.type == Event::Type::rule && !s.what.empty()) text += "  → " + s.what;
  line(4, text);
}

void TextWriter::end(const PlaceReport& p, const Journey& j) {
  const trace::Headers& last = j.seen.back();
  const std::string as = j.seen.size() > 1 ? " as " + source_text(last) + " → " + destination_text(last) : "";
  const std::string word = j.verdict == "reject" ? "rejected" : "dropped";
  switch (j.end) {
    case End::dropped:
      return line(4, word + " in " + firewall::to_string(j.ended_at) + " by: " + j.decided_by);
    case End::taken:
      return line(4, "handed to a program (" + j.verdict + ") by: " + j.decided_by);
    case End::delivered:
      return line(4, "delivered to the sockets here" + as);
    case End::left:
      return line(4, "left by " + (j.oif == 0 ? std::string("a link") : link_name(p, j.oif)) + as);
    case End::lost:
      break;
  }
  line(4, "not seen any more; no rule dropped it: routing, or a check of the kernel's (rp_filter)");
}

void TextWriter::packet(const PlaceReport& p, const Journey& j) {
  std::string head =
      std::string(is_request(j, r_.probe) ? "request  " : "answer   ") + to_string(j.seen.front());
  if (j.iif != 0) head += ", came in by " + link_name(p, j.iif);
  line(2, head);
  std::size_t shown = 0;
  for (const Step& s : j.steps) {
    if (shown++ == kShownSteps) {
      line(4, std::to_string(j.steps.size() - kShownSteps) + " more steps, see --json");
      break;
    }
    step(s);
  }
  end(p, j);
}

void TextWriter::place(const PlaceReport& p) {
  line(0, p.name);
  if (p.packets.all.empty()) line(2, nothing_seen(p));
  if (!p.packets.all.empty() && !p.probes && !r_.others)
    line(2, "not the probe's own packets: another process made this connection, or the service is busy");
  const std::vector<const Journey*> some = chosen(p);
  for (const Journey* j : some) packet(p, *j);
  if (const std::size_t more = p.packets.all.size() - some.size(); more != 0)
    line(2, std::to_string(more) + (more == 1 ? " more packet" : " more packets") + ", see --json");
  if (!p.no_legacy.empty()) {
    line(2, "legacy rules cannot be traced here because " + p.no_legacy + "; judged from the rules instead");
    for (const JudgedHook& h : p.judged)
      line(4, std::string(firewall::to_string(h.hook)) + ": " + h.outcome + ": " + h.by);
  }
  for (const std::string& note : p.notes) line(2, "note: " + note);
}

std::vector<std::string> TextWriter::write() {
  for (const PlaceReport& p : r_.places) place(p);
  for (const Untraced& u : r_.untraced) {
    line(0, u.name);
    line(2, "not traced: " + u.why.line());
  }
  for (const std::string& text : r_.others ? std::vector<std::string>() : probing::render_text(r_.probe))
    out_.push_back(text);
  line(0, "=> " + r_.summary);
  return std::move(out_);
}

void write_step(std::string& to, const Step& s) {
  static constexpr const char* kTypes[] = {"rule", "return", "policy"};
  JsonObject o(to);
  o.text("type", kTypes[static_cast<std::size_t>(s.type)]).text("hook", firewall::to_string(s.hook));
  o.raw("priority", std::to_string(s.priority)).text("where", s.where);
  o.raw("text", json_string(s.text, firewall::kMaxRuleText)).text("verdict", s.what);
  if (!s.now.empty()) o.text("now", s.now);
}

void write_packet(std::string& to, const PlaceReport& p, const Journey& j,
                  const probing::ProbeResult& probe) {
  JsonObject o(to);
  const trace::Headers& first = j.seen.front();
  o.text("direction", is_request(j, probe) ? "request" : "answer").text("packet", to_string(first));
  o.text("source", source_text(first)).text("destination", destination_text(first));
  o.text("last_source", source_text(j.seen.back())).text("last_destination", destination_text(j.seen.back()));
  o.text("began", firewall::to_string(j.begin));
  o.text("in", link_name(p, j.iif)).text("out", link_name(p, j.oif));
  o.list("steps", j.steps, [](std::string& text, const Step& s) { write_step(text, s); });
  o.text("end", trace::to_string(j.end));
  if (j.end != End::dropped && j.end != End::taken) return;
  o.text("hook", firewall::to_string(j.ended_at)).text("verdict", j.verdict);
  o.raw("decided_by", json_string(j.decided_by, 2 * firewall::kMaxRuleText));
}

void write_place(std::string& to, const PlaceReport& p, const probing::ProbeResult& probe) {
  JsonObject o(to);
  o.text("name", p.name).flag("probes_own", p.probes);
  o.list("packets", p.packets.all,
         [&](std::string& text, const Journey& j) { write_packet(text, p, j, probe); });
  if (!p.no_legacy.empty()) {
    o.text("no_legacy", p.no_legacy);
    o.list("judged", p.judged, [](std::string& text, const JudgedHook& h) {
      JsonObject judged(text);
      judged.text("hook", firewall::to_string(h.hook)).text("outcome", h.outcome);
      judged.raw("by", json_string(h.by, 2 * firewall::kMaxRuleText));
    });
  }
  o.texts("notes", p.notes);
}

}  // namespace

std::vector<std::string> render_text(const Report& report) {
  return TextWriter(report).write();
}

std::string render_json(const Report& report) {
  std::string out;
  {
    JsonObject o(out);
    o.number("podshark", annotate::kSchemaVersion).text("kind", "trace");
    o.text("time", annotate::rfc3339(report.probe.time_ns)).text("from", report.probe.from);
    o.text("target", report.probe.aim.target);
    if (!report.others) o.raw("probe", probing::render_json(report.probe));
    o.list("namespaces", report.places,
           [&](std::string& to, const PlaceReport& p) { write_place(to, p, report.probe); });
    o.list("untraced", report.untraced, [](std::string& to, const Untraced& u) {
      JsonObject one(to);
      one.text("name", u.name).text("why", u.why.what).text("hint", u.why.hint);
    });
    o.flag("came_through",
           report.others ? others_verdict(report) == probing::Verdict::ok : came_through(report));
    o.raw("summary", json_string(report.summary, 2 * firewall::kMaxRuleText));
  }
  return out;
}

}  // namespace podshark::extcap::tracing
