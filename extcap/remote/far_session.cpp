// SPDX-License-Identifier: GPL-2.0-or-later
// One thread, one poll(2): the scripts' pipes, signals, the output, and a beat every other second. Times are
// those of the other machine.
#include "extcap/remote/far_session.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <set>

#include "extcap/probe/stop.h"
#include "extcap/remote/agent_file.h"
#include "extcap/remote/far_source.h"
#include "extcap/remote/far_ways.h"
#include "extcap/remote/sharing.h"
#include "extcap/remote/survey.h"
#include "podman/core/clock.h"
#include "podman/core/text.h"

namespace podshark::extcap::remote {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kEndLimit{3000};  // the far side flushes and ends
// How far packets of several streams may be apart, and how long a quiet one is waited for; more once some
// were later than that.
constexpr std::chrono::nanoseconds kWindow{150'000'000};
// Of the links of one agent, whose rings wait for 20 ms.
constexpr std::chrono::nanoseconds kOneWindow{40'000'000};
constexpr std::chrono::nanoseconds kWidest{2'000'000'000};
constexpr std::size_t kMostConnecting = 3;  // sshd takes ten beginners at once (MaxStartups)
constexpr int kInventoryBeats = 30;
constexpr std::size_t kMostDetail = 600;

class FarSession {
 public:
  FarSession(Recorder& recorder, const SessionOptions& options, const FarPlace& place)
      : recorder_(recorder), options_(options), place_(place) {}

  void add(FarStream stream);
  Result<Summary> run();

 private:
  [[nodiscard]] std::int64_t now_there() const { return now_ns() + place_.shift_ns; }
  bool on_packet(std::uint32_t id, const wire::Packet& packet);
  std::string record(const Target& target, const char* what, const std::string& detail);  // its line
  void tell_lost(const FarSource& source);
  void start_some();
  void wait();
  void look();
  void release();
  void flush();
  void on_beat();
  void stop();
  void finish();
  [[nodiscard]] bool full() const { return recorder_.output()->backlog() >= options_.queue_bytes; }
  [[nodiscard]] annotate::Event statistics() const;

  Recorder& recorder_;
  const SessionOptions& options_;
  const FarPlace& place_;
  std::vector<std::unique_ptr<FarSource>> sources_;
  UniqueFd signals_;
  Clock::time_point beat_ = Clock::now();
  Clock::time_point arrived_ = Clock::now();
  std::optional<Clock::time_point> deadline_;
  std::optional<Clock::time_point> end_;
  std::uint64_t newest_ns_ = 0;
  std::uint64_t released_ns_ = 0;  // what is older is late
  std::chrono::nanoseconds window_ = kWindow;
  int beats_ = 0;
  std::set<const FarSource*> told_;  // whose failure was, while others went on
  std::set<std::string> said_;       // what was said of failures: of ten pods it may be one thing
  bool signalled_ = false;
  bool unwritable_ = false;
  bool output_gone_ = false;  // nobody reads it any more
  Status outcome_ = ok();
  Summary summary_;
};

void FarSession::add(FarStream stream) {
  const Target target = stream.target;
  sources_.push_back(std::make_unique<FarSource>(
      target, std::move(stream.ways), std::move(stream.why_not), std::move(stream.line), recorder_,
      FarSource::Hooks{
          .packet = [this](std::uint32_t id, const wire::Packet& packet) { return on_packet(id, packet); },
          .report = [this, target](
                        const char* what,
                        const std::string& detail) { place_.line(record(target, what, detail)); }}));
}

std::string FarSession::record(const Target& target, const char* what, const std::string& detail) {
  annotate::Event event;
  event.kind = "lifecycle";
  event.time_ns = now_there();
  event.what = what;
  event.container_id = target.chosen.id;
  event.container = target.chosen.name;
  event.detail = one_line(detail, kMostDetail);
  recorder_.event(event);
  return event.detail;
}

void FarSession::tell_lost(const FarSource& source) {
  if (!told_.insert(&source).second) return;
  const std::string line = record(source.target(), "lost", source.failure()->line());
  if (said_.insert(line).second) place_.line(line);
}

bool FarSession::on_packet(std::uint32_t id, const wire::Packet& packet) {
  if (options_.count != 0 && summary_.packets >= options_.count) return false;
  recorder_.packet(id, packet);
  newest_ns_ = std::max(newest_ns_, packet.time_ns);
  if (packet.time_ns < released_ns_) {
    ++summary_.late;
    const std::chrono::nanoseconds way(now_there() - static_cast<std::int64_t>(packet.time_ns));
    window_ = std::max(window_, std::min(kWidest, way + way / 4));
  }
  ++summary_.packets;
  summary_.bytes += packet.captured;
  if (options_.count == 0 || summary_.packets < options_.count) return true;
  stop();
  return false;
}

void FarSession::start_some() {
  auto connecting = static_cast<std::size_t>(
      std::count_if(sources_.begin(), sources_.end(), [](const auto& s) { return s->connecting(); }));
  for (const auto& source : sources_) {
    if (end_ || connecting >= kMostConnecting) return;
    if (source->ended() || !source->retry_at() || *source->retry_at() > Clock::now()) continue;
    if (const Status s = source->start(); !s) {
      outcome_ = s;
      return stop();
    }
    ++connecting;
  }
}

void FarSession::stop() {
  if (end_) return;
  end_ = Clock::now() + kEndLimit;
  for (const auto& source : sources_) source->end();
}

void FarSession::wait() {
  const Output& output = *recorder_.output();
  std::vector<pollfd> waiting{{end_ ? -1 : signals_.get(), POLLIN, 0},
                              {output.pipe() && !output_gone_ ? output.fd() : -1,
                               static_cast<short>(output.backlog() > 0 ? POLLOUT : 0), 0}};
  Clock::time_point until = beat_;
  for (const auto& source : sources_) {
    waiting.push_back({full() ? -1 : source->out(), POLLIN, 0});
    waiting.push_back({source->errors(), POLLIN, 0});
    if (source->retry_at()) until = std::min(until, *source->retry_at());
  }
  if (recorder_.holding()) until = std::min(until, arrived_ + std::chrono::ceil<milliseconds>(window_));
  if (end_) until = std::min(until, *end_);
  if (deadline_ && !end_) until = std::min(until, *deadline_);
  // A retry whose time has come waits for a free place among the connecting, whose end is an event.
  const auto left = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
  (void)::poll(waiting.data(), waiting.size(), static_cast<int>(std::clamp<long>(left, 20, 2000)));
  if (waiting[0].revents != 0) {
    signalled_ = true;
    stop();
  }
  if ((waiting[1].revents & (POLLERR | POLLHUP)) != 0) {
    output_gone_ = true;
    stop();
  } else if (waiting[1].revents != 0) {
    if (Status s = recorder_.output()->pump(); !s) outcome_ = std::move(s);
  }
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (waiting[3 + 2 * i].revents != 0) sources_[i]->read_errors();
    if (waiting[2 + 2 * i].revents == 0) continue;
    sources_[i]->read_output();
    arrived_ = Clock::now();
  }
}

void FarSession::look() {
  const bool begun =
      std::any_of(sources_.begin(), sources_.end(), [](const auto& s) { return s->attached(); });
  for (const auto& source : sources_) {
    if (!source->failure() || end_) continue;
    if (told_.contains(source.get())) continue;
    const Error& error = *source->failure();
    const bool others =
        std::any_of(sources_.begin(), sources_.end(), [](const auto& s) { return !s->ended(); });
    const bool elsewhere = std::any_of(sources_.begin(), sources_.end(), [&](const auto& s) {
      return !s->ended() && s->target().chosen.id != source->target().chosen.id;
    });
    // A wrong link, for example, is not for another link to hide.
    if (!others || (summary_.packets == 0 && !elsewhere)) {
      outcome_ = error;
      return stop();
    }
    // While nothing has begun, all may fail for one reason.
    if (begun) tell_lost(*source);
  }
  if (std::all_of(sources_.begin(), sources_.end(), [](const auto& s) { return s->ended(); })) {
    if (!end_) summary_.ended = "nothing of it runs any more";
    stop();
  }
}

void FarSession::release() {
  const bool quiet = Clock::now() >= arrived_ + window_;
  const bool alone = sources_.size() == 1 && sources_.front()->ordered();
  // Stamps are the other side's: they must not make us hold more than we would for a slow reader.
  if (alone) return recorder_.release_all();
  if (quiet || recorder_.held_bytes() >= options_.queue_bytes) {
    released_ns_ = newest_ns_;
    return recorder_.release_all();
  }
  const auto window = static_cast<std::uint64_t>(window_.count());
  if (newest_ns_ <= window) return;
  released_ns_ = std::max(released_ns_, newest_ns_ - window);
  recorder_.release(newest_ns_ - window, newest_ns_);
}

void FarSession::flush() {
  if (unwritable_) return;  // it was cut back to its last whole block
  if (Status s = recorder_.flush(); !s) {
    if (outcome_) outcome_ = std::move(s);
    unwritable_ = true;
    return stop();
  }
  if (recorder_.output()->reader_gone()) stop();
}

annotate::Event FarSession::statistics() const {
  annotate::Event event;
  event.kind = "stats";
  event.time_ns = now_there();
  for (const auto& source : sources_) source->add_statistics(event);
  return event;
}

void FarSession::on_beat() {
  if (Clock::now() < beat_) return;
  beat_ = Clock::now() + Channel::kBeat;
  for (const auto& source : sources_) source->beat(!full());
  if (++beats_ % kInventoryBeats != 0) return;
  model::Inventory inventory = place_.inventory;
  inventory.time_ns = now_there();
  recorder_.inventory(inventory, /* at_once= */ false);
  annotate::Event stats = statistics();
  stats.detail = "running totals";
  recorder_.event(stats);
}

void FarSession::finish() {
  if (!outcome_) said_.insert(one_line(outcome_.error().line(), kMostDetail));
  for (const auto& source : sources_) {
    if (source->failure()) tell_lost(*source);
    source->close();
  }
  annotate::Event stats = statistics();
  stats.detail = "capture ended";
  for (const auto& l : stats.links) summary_.dropped += l.dropped;
  recorder_.event(stats);
  recorder_.release_all();
  flush();
  if (unwritable_) return;
  Output& output = *recorder_.output();
  if (Status s = output.drain(options_.extcap && signalled_); !s && outcome_) outcome_ = std::move(s);
  if (const std::string untaken = output.untaken(); !untaken.empty()) place_.line(untaken);
}

Result<Summary> FarSession::run() {
  Result<UniqueFd> signals = probing::stop_signals();
  if (!signals) return signals.error();
  signals_ = std::move(*signals);
  if (options_.duration.count() > 0) deadline_ = Clock::now() + options_.duration;
  if (sources_.size() == 1) window_ = kOneWindow;
  flush();
  while (!end_ || (Clock::now() < *end_ && std::any_of(sources_.begin(), sources_.end(),
                                                       [](const auto& s) { return s->running(); }))) {
    start_some();
    wait();
    if (deadline_ && Clock::now() >= *deadline_) stop();
    look();
    on_beat();
    release();
    flush();
  }
  finish();
  if (!outcome_) return outcome_.error();
  return summary_;
}

// One stream for each link that was asked for.
Status add_streams(const FarHost& host, const FarFacts& facts, const Target& target,
                   const SessionOptions& options, const AgentFile& agent, std::vector<FarStream>& out) {
  std::vector<std::string> links = options.link.links;
  if (links.empty()) links.emplace_back("any");
  for (const std::string& link : links) {
    FarStream stream{
        target, nullptr,
        host.connection.empty() ? "podshark is not installed on " + host.name : "only podman's API is there",
        [host](const StreamWays::Step& step, const Target& t) {
          return ssh_line(host, step_script(host, step, t));
        }};
    Result<StreamRequest> request = far_request(host, facts, target, options, link, agent, &stream.why_not);
    if (!request) return request.error();
    stream.ways = std::make_unique<StreamPlan>(std::move(*request));
    out.push_back(std::move(stream));
  }
  return ok();
}

}  // namespace

Result<Summary> capture_streams(std::vector<FarStream> streams, const FarPlace& place, Recorder& recorder,
                                const SessionOptions& options) {
  recorder.inventory(place.inventory, /* at_once= */ true);
  FarSession session(recorder, options, place);
  for (FarStream& stream : streams) session.add(std::move(stream));
  return session.run();
}

Result<Summary> capture_without(const FarHost& far, const std::vector<std::string>& names, Output output,
                                const SessionOptions& options,
                                const std::function<void(const std::string&)>& line) {
  if (const Status s = only_with_podshark(far, options); !s) return s.error();
  const FarHost host = shared(far);
  const Result<FarFacts> facts = survey(host, /* all= */ true);
  if (!facts) return facts.error();
  const Result<Targets> targets = resolve(names, facts->inventory, facts->uid);
  if (!targets)
    return Error{targets.error().kind, host.name + ": " + targets.error().what, targets.error().hint};
  if (!targets->stopped.empty()) return not_running(targets->stopped.front());
  AgentFile agent;
  if (Result<std::string> file = agent_file(facts->machine)) {
    agent.gzip = std::move(*file);
    agent.path = agent_path(facts->machine);
  } else {
    agent.missing = file.error().what;
  }
  std::vector<FarStream> streams;
  for (const Target& target : targets->running) {
    if (const Status s = add_streams(host, *facts, target, options, agent, streams); !s) return s.error();
  }
  Recorder recorder(std::move(output));
  return capture_streams(std::move(streams), {facts->inventory, facts->clock_ns - now_ns(), line}, recorder,
                         options);
}

}  // namespace podshark::extcap::remote
