// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/trace/session.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <ostream>
#include <utility>

#include "extcap/announce/announce.h"
#include "extcap/check/in_netns.h"
#include "extcap/check/parts.h"
#include "extcap/inventory_source.h"
#include "extcap/probe/reach.h"
#include "extcap/probe/request.h"
#include "extcap/probe/runner.h"
#include "extcap/probe/stop.h"
#include "extcap/trace/places.h"
#include "extcap/trace/report.h"
#include "extcap/trace/tracer.h"
#include "podman/core/clock.h"
#include "podman/core/process.h"
#include "podman/core/text.h"

namespace podshark::extcap::tracing {
namespace {

using namespace std::chrono_literals;

constexpr std::array kProtocols{probe::Protocol::tcp, probe::Protocol::udp, probe::Protocol::icmp};
constexpr auto kLoggersDeadline = 3s;
constexpr auto kAfter = 50ms;  // for what the closing of the probe's socket still sends

// A namespace, and what was read of it before anything was put there.
struct Traced {
  TracePlace place;
  Loggers loggers;
  firewall::Ruleset before;
  firewall::Ruleset after;
  std::optional<Tracer> tracer;
  Recording recording;
};

class TraceSession {
 public:
  TraceSession(const TraceOptions& options, std::ostream& out, std::ostream& err, UniqueFd stop)
      : o_(options),
        out_(out),
        err_(err),
        stop_(std::move(stop)),
        resolver_(worker_, options.timeout, stop_.get()),
        runner_(worker_, options.timeout, stop_.get()),
        table_(trace::own_table(static_cast<std::uint32_t>(::getpid()))) {
    runner_.on_record(announce);
  }

  Result<probing::Verdict> run();

 private:
  Status plan();
  Status survey();
  Status look_at(Traced& t) const;
  Status consent();
  void explain();
  [[nodiscard]] bool answered_yes() const;
  Status start();
  Result<probing::ProbeResult> probe();
  void finish();
  void read_again(Traced& t) const;
  void print(const Report& report);
  [[nodiscard]] Error nowhere() const;

  const TraceOptions& o_;
  std::ostream& out_;
  std::ostream& err_;
  UniqueFd stop_;
  WorkerClient worker_;
  probing::SourceResolver resolver_;
  probing::Runner runner_;
  std::string table_;
  probing::Job job_;
  std::vector<Traced> traced_;
  std::vector<Untraced> untraced_;
};

Status TraceSession::plan() {
  const Result<probing::TargetText> target = probing::parse_target(o_.target, kProtocols);
  if (!target) return target.error();
  Result<model::Inventory> inventory = live_inventory();
  // Addresses and names can be probed from the host without podman.
  if (!inventory && o_.from != "host") return inventory.error();
  const model::Inventory known = inventory ? std::move(*inventory) : model::Inventory{};
  if (o_.from.starts_with("ssh:"))
    return Error{ErrorKind::unsupported, "packets that another machine sends cannot be traced",
                 "trace from a container, or run podshark probe --from ssh://…"};
  Result<probing::Source> source = probing::find_source(o_.from, known, ::geteuid());
  if (!source) return source.error();
  Result<probing::Aim> aim = probing::find_aim(*target, *source, known, ::geteuid(), {}, resolver_);
  if (!aim) return !inventory && aim.error().kind == ErrorKind::not_found ? inventory.error() : aim.error();
  Places places =
      o_.wait ? find_others_places(*source, *aim, ::geteuid()) : find_places(*source, *aim, ::geteuid());
  for (TracePlace& p : places.places) {
    traced_.emplace_back();
    traced_.back().place = std::move(p);
  }
  untraced_ = std::move(places.untraced);
  job_ = {std::move(*source), std::move(*aim)};
  return ok();
}

// Reading rules needs what tracing needs, and changes nothing.
Status TraceSession::look_at(Traced& t) const {
  Result<firewall::Ruleset> rules = check::read_firewall(t.place.netns);
  if (!rules && rules.error().kind == ErrorKind::permission)
    return Error{ErrorKind::permission, "your user has no CAP_NET_ADMIN there",
                 "run podshark trace with sudo"};
  if (!rules) return rules.error();
  const Result<std::string> loggers = check::in_netns(
      t.place.netns, [] { return to_text(read_loggers()); }, kLoggersDeadline);
  if (!loggers) return loggers.error();
  t.before = std::move(*rules);
  t.loggers = from_text(*loggers);
  return ok();
}

Error TraceSession::nowhere() const {
  const auto denied = std::find_if(untraced_.begin(), untraced_.end(),
                                   [](const Untraced& u) { return u.why.kind == ErrorKind::permission; });
  const Untraced& first = denied == untraced_.end() ? untraced_.front() : *denied;
  std::string names;
  for (const Untraced& u : untraced_) names += (names.empty() ? "" : ", ") + u.name;
  return {first.why.kind, "no network namespace on the way can be traced (" + names + "): " + first.why.what,
          first.why.hint};
}

Status TraceSession::survey() {
  if (find_program("nft").empty())
    return Error{ErrorKind::unsupported, "nft is not installed", "sudo apt-get install nftables"};
  std::vector<Traced> good;
  for (Traced& t : traced_) {
    const Status s = look_at(t);
    if (s) good.push_back(std::move(t));
    if (!s) untraced_.push_back({t.place.name, s.error()});
  }
  traced_ = std::move(good);
  if (traced_.empty()) return nowhere();
  return ok();
}

void TraceSession::explain() {
  err_ << "podshark trace would put a table of its own into these network namespaces:\n";
  for (const Traced& t : traced_) {
    err_ << "  " << t.place.name << ": table inet " << table_
         << ", which marks packets for the kernel's trace:\n";
    for (const trace::Selector& s : t.place.selectors) {
      for (const std::string& condition : trace::conditions(s)) err_ << "      " << condition << '\n';
    }
    for (const bool v4 : {true, false}) {
      const Logger& logger = v4 ? t.loggers.v4 : t.loggers.v6;
      if (!logger.changes()) continue;
      err_ << "    legacy iptables: " << logger_key(v4) << " becomes " << Logger::kNetlinkLog
           << " meanwhile, then " << one_line(logger.name, 40) << " again\n";
    }
  }
  for (const Untraced& u : untraced_) err_ << "  not in " << u.name << ": " << u.why.line() << '\n';
  err_ << "At most 50 packets a second are marked by each rule. It decides nothing, disables nothing, and "
          "the\n"
          "kernel removes it when podshark ends, however that ends. Meanwhile ";
  if (o_.wait) err_ << "nothing is probed: packets of others to " << job_.aim.target << " are waited for";
  if (!o_.wait) err_ << job_.aim.target << " is probed from " << job_.source.name;
  err_ << ".\nTrace? [y/N] " << std::flush;
}

bool TraceSession::answered_yes() const {
  std::array<pollfd, 2> waiting{{{STDIN_FILENO, POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
  if (::poll(waiting.data(), waiting.size(), -1) <= 0 || waiting[1].revents != 0) return false;
  std::array<char, 64> line{};
  const ssize_t n = ::read(STDIN_FILENO, line.data(), line.size());
  std::string_view answer(line.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  answer = trim(answer.substr(0, answer.find('\n')));
  return answer == "y" || answer == "Y" || answer == "yes";
}

Status TraceSession::consent() {
  if (o_.yes) return ok();
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0) {
    return Error{ErrorKind::usage,
                 "it needs your consent to put a temporary table among the firewall's rules",
                 "run it in a terminal to be asked, or say --yes"};
  }
  explain();
  if (answered_yes()) return ok();
  return Error{ErrorKind::usage, "not traced: there was no consent", "nothing was changed"};
}

Status TraceSession::start() {
  std::vector<Traced> good;
  for (Traced& t : traced_) {
    Result<Tracer> tracer = Tracer::start(t.place.netns, table_, t.place.selectors, t.loggers);
    if (!tracer) {
      untraced_.push_back({t.place.name, tracer.error()});
      continue;
    }
    t.tracer.emplace(std::move(*tracer));
    good.push_back(std::move(t));
  }
  traced_ = std::move(good);
  if (traced_.empty()) return nowhere();
  return ok();
}

Result<probing::ProbeResult> TraceSession::probe() {
  if (o_.wait) {
    probing::ProbeResult none;
    none.time_ns = now_ns();
    none.from = "others";
    none.aim = job_.aim;
    if (!o_.json) err_ << "podshark trace: waiting for packets to " << job_.aim.target << '\n' << std::flush;
    runner_.pause(*o_.wait);
    return none;
  }
  Result<std::vector<probing::ProbeResult>> results = runner_.run({job_});
  if (!results) return results.error();
  if (results->empty()) return Error{ErrorKind::internal, "ended before the probe was", {}};
  if (!runner_.stopped()) runner_.pause(kAfter);
  return std::move(results->front());
}

void TraceSession::finish() {
  for (Traced& t : traced_) {
    t.recording = t.tracer->finish();
    t.tracer.reset();
  }
}

// A rule that was made meanwhile is in none of the rules read before.
void TraceSession::read_again(Traced& t) const {
  if (!trace::journeys(t.recording.events, {t.before, t.after, table_}).unknown_rules) return;
  Result<firewall::Ruleset> rules = check::read_firewall(t.place.netns);
  if (rules) t.after = std::move(*rules);
}

void TraceSession::print(const Report& report) {
  if (o_.json) {
    out_ << render_json(report) << '\n';
    return;
  }
  for (const std::string& line : render_text(report)) out_ << line << '\n';
}

Result<probing::Verdict> TraceSession::run() {
  if (Status s = plan(); !s) return s.error();
  if (Status s = survey(); !s) return s.error();
  if (Status s = consent(); !s) return s.error();
  if (Status s = start(); !s) return s.error();
  Result<probing::ProbeResult> result = probe();
  finish();
  if (!result) return result.error();
  Report report{std::move(*result), {}, untraced_, {}, o_.wait.has_value()};
  for (Traced& t : traced_) {
    read_again(t);
    report.places.push_back(judge_place(t.place, t.recording, {t.before, t.after, table_}, report.probe));
  }
  report.summary = summarise(report);
  print(report);
  if (o_.wait) return others_verdict(report);
  if (!report.probe.measured()) return probing::Verdict::not_measured;
  return came_through(report) ? probing::Verdict::ok : probing::Verdict::failed;
}

}  // namespace

Result<probing::Verdict> run_trace(const TraceOptions& options, std::ostream& out, std::ostream& err) {
  Result<UniqueFd> stop = probing::stop_signals();
  if (!stop) return stop.error();
  return TraceSession(options, out, err, std::move(*stop)).run();
}

}  // namespace podshark::extcap::tracing
