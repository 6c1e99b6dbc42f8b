// SPDX-License-Identifier: GPL-2.0-or-later
// One thread, one epoll: rings, rtnetlink, pidfds, signals, podman's events, timers and the output. Packets
// go from the rings into the recorder's lanes; after each turn of the loop those that nothing older can
// follow are merged in order of time and flushed. A quiet link delivers each packet after at most the ring's
// retire time.
#include "extcap/capture/session.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ostream>
#include <utility>

#include "extcap/capture/counter_watch.h"
#include "extcap/capture/end_watch.h"
#include "extcap/capture/forward_watch.h"
#include "extcap/capture/inventory_watch.h"
#include "extcap/capture/nat_legs.h"
#include "extcap/capture/output_pump.h"
#include "extcap/capture/panel.h"
#include "extcap/capture/reports.h"
#include "extcap/inventory_source.h"
#include "podman/core/clock.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

constexpr std::chrono::milliseconds kTick{1000};
constexpr int kInventoryTicks = 60;
constexpr std::size_t kRecordRoom = std::size_t{16} << 20U;  // beyond a full queue
constexpr int kEmptyTicks = 5;                               // without a packet, the likely reason is told
constexpr std::chrono::seconds kLossPause{60};
constexpr int kSaveTicks = 5;  // a container that restarts in a loop fills no disk

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int s : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, s);
  return set;
}

class Session {
 public:
  Session(Recorder& recorder, const SessionOptions& options, EventLoop loop)
      : recorder_(recorder),
        options_(options),
        loop_(std::move(loop)),
        pump_(loop_, {.gone = [this] { stop(); },
                      .failed = [this](Error error) { outcome_ = std::move(error); },
                      .drained = [this] { on_drained(); }}),
        panel_(options.control, loop_, panel_hooks()),
        roster_({options.link, worker_, loop_, recorder, macs_, {}}, options.roster, roster_hooks()),
        drops_({options.link, worker_, loop_, recorder, macs_, {}},
               {.notice = [this](const std::string& line) { notice(line); },
                .ready = [this] { drops_.follow(roster_.sources(), inventory_); },
                .written =
                    [this](std::span<const std::uint8_t> ip, const annotate::Event& event) {
                      if (ends_) ends_->dropped(ip, static_cast<std::uint64_t>(event.time_ns), event);
                    }}),
        counters_([this](const annotate::Event& event) { recorder_.event(event); }),
        parent_(::getppid()) {
    recorder_.on_event([this](const annotate::Event& event) {
      last_event_ns_ = std::max(last_event_ns_, event.time_ns);
      panel_.show(event);
    });
  }
  ~Session() { recorder_.on_event({}); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Status begin(Selection selection);
  Result<Summary> run();

 private:
  Roster::Hooks roster_hooks();
  Panel::Hooks panel_hooks();
  Status watch_everything();
  void on_drained();
  void watch_parent_pipes();
  [[nodiscard]] bool reader_gone() const;
  bool on_packet(std::uint32_t id, const wire::Packet& packet);
  void on_signal();
  void on_report(annotate::Event&& event);
  void watch_translations();
  void follow_translations();
  void repeat_translations();
  [[nodiscard]] bool captures(const std::string& container_id) const;
  void after_change();
  void save_history(const char* why);
  void tell_why_empty();
  void watch_loss(const Summary& now);
  void rotate();
  [[nodiscard]] Summary totals(const annotate::Event& stats) const;
  void on_joined(std::int64_t since_ns);
  void notice(const std::string& line);
  void on_inventory(model::Inventory&& fresh);
  void on_tick();
  void release(std::uint64_t began_ns);
  void flush();
  void show_progress(const Summary& now);
  void pause_following(bool paused);
  void record(const char* kind, const char* what, const std::string& detail);
  [[nodiscard]] annotate::Event statistics();
  void write_stats(const char* detail);
  void finish();
  void stop(std::string why = {}) {
    stopping_ = true;
    if (summary_.ended.empty()) summary_.ended = std::move(why);
  }

  Recorder& recorder_;
  const SessionOptions& options_;
  model::Inventory inventory_;
  bool refresh_now_ = false;
  EventLoop loop_;
  OutputPump pump_;
  Panel panel_;
  WorkerClient worker_;
  CapturedMacs macs_;
  Roster roster_;
  DropWatch drops_;
  CounterWatch counters_;
  std::unique_ptr<InventoryWatch> watch_;
  std::unique_ptr<Reports> reports_;
  std::unique_ptr<EndWatch> ends_;  // in a capture at both
  std::unique_ptr<NatLegs> nat_;
  std::unique_ptr<ForwardWatch> forwards_;
  std::int64_t last_event_ns_ = 0;
  std::int64_t released_ns_ = 0;  // nothing older may be written any more
  UniqueFd signals_;
  UniqueFd tick_;
  UniqueFd deadline_;
  pid_t parent_;
  int ticks_ = 0;
  bool paused_ = false;
  std::uint64_t lost_records_ = 0;  // when it was paused
  bool stopping_ = false;
  bool finishing_ = false;
  bool signalled_ = false;  // somebody asked for the end
  bool empty_told_ = false;
  bool loss_told_ = false;
  LossTrigger loss_trigger_;
  const char* save_why_ = nullptr;   // save the history after this turn
  std::uint64_t saved_packets_ = 0;  // how many there were when it was saved
  Status saved_ = ok();              // the last try to
  int last_save_tick_ = -kSaveTicks;
  bool idle_ = false;
  bool following_paused_ = false;
  bool changed_ = false;  // links or containers: looked at after the turn, when no source is being called
  Status outcome_ = ok();
  Summary summary_;
};

Roster::Hooks Session::roster_hooks() {
  return {.source = {.packet = [this](std::uint32_t id, const wire::Packet& p) { return on_packet(id, p); },
                     .changed = [this] { changed_ = true; },
                     .following = [this] { return !following_paused_; },
                     .opened =
                         [this](std::uint32_t id, const Target& target, const model::Link& link,
                                std::uint16_t linktype, const std::string& name) {
                           if (ends_) ends_->opened(id, target, link, linktype, name);
                         },
                     .closed =
                         [this](std::uint32_t id) {
                           if (ends_) ends_->closed(id);
                         },
                     .copy =
                         [this](std::uint32_t id, const wire::Packet& packet) {
                           if (ends_) ends_->packet(id, packet);
                         }},
          .failed =
              [this](const Error& error) {
                outcome_ = error;
                stop();
              },
          .notice = [this](const std::string& line) { notice(line); },
          .ended = [this](const Target&) { save_why_ = options_.save_on_exit ? "exit" : save_why_; },
          .joined = [this](std::int64_t since_ns) { on_joined(since_ns); }};
}

Panel::Hooks Session::panel_hooks() {
  return {.mark = [this](const std::string& text) { record("mark", "mark", text); },
          .pause_following = [this](bool paused) { pause_following(paused); },
          .run = [this](const std::vector<std::string>& arguments) { reports_->run(arguments); },
          .default_target =
              [this] {
                return roster_.sources().empty() ? std::string()
                                                 : roster_.sources().front()->target().container.name;
              },
          .statistics = [this] { return statistics(); }};
}

Status Session::begin(Selection selection) {
  inventory_ = selection.inventory;
  refresh_now_ = selection.remembered;
  recorder_.inventory(inventory_, /* at_once= */ true);
  drops_.start(options_.drops);
  if (options_.roster.points == Points::both) {
    ends_ = std::make_unique<EndWatch>(
        EndWatch::Options{options_.link.promiscuous, !options_.link.filter.empty(), options_.link.snaplen},
        [this](annotate::Event&& event) { on_report(std::move(event)); });
    ends_->known(inventory_);
  }
  const Status begun = roster_.begin(selection);
  idle_ = begun && roster_.idle();
  if (idle_ && options_.roster.wait) notice("waiting for a container to start");
  return begun;
}

void Session::notice(const std::string& line) {
  panel_.line(line);
  if (options_.notices != nullptr)
    *options_.notices << "podshark capture: " << one_line(line, 400) << std::endl;
}

// Names of whoever has just come have to be there before its packets.
void Session::on_joined(std::int64_t since_ns) {
  inventory_ = roster_.known();
  inventory_.time_ns = since_ns;
  recorder_.inventory(inventory_, /* at_once= */ true);
  drops_.follow(roster_.sources(), inventory_);
  follow_translations();
  if (ends_) ends_->known(inventory_);
}

bool Session::reader_gone() const {
  return recorder_.output() != nullptr && recorder_.output()->reader_gone();
}

bool Session::on_packet(std::uint32_t id, const wire::Packet& packet) {
  if (options_.count != 0 && summary_.packets >= options_.count) {
    stop();
    return false;
  }
  recorder_.packet(id, packet);
  if (forwards_) forwards_->packet(packet);
  if (ends_) ends_->packet(id, packet);
  ++summary_.packets;
  summary_.bytes += packet.captured;
  const bool enough = options_.count != 0 && summary_.packets >= options_.count;
  if (enough) stop();
  // While finishing, the rings are emptied; before that a stop or a full queue ends the turn.
  return !enough && !reader_gone() && (finishing_ || (!stopping_ && !paused_));
}

// `began_ns` is the time before the turn in which all sources were read.
void Session::release(std::uint64_t began_ns) {
  const std::uint64_t until = std::min(roster_.complete_until(began_ns), drops_.complete_until(began_ns));
  released_ns_ = std::max(released_ns_, static_cast<std::int64_t>(until));
  recorder_.release(until, began_ns);
  if (ends_) ends_->advance(until);
}

void Session::flush() {
  if (!outcome_) return;
  if (Status s = recorder_.flush(); !s) outcome_ = std::move(s);
  if (!outcome_ || reader_gone()) stop();
  const Output* out = recorder_.output();
  if (out == nullptr) return;
  pump_.pump();
  const bool full = out->backlog() >= options_.queue_bytes;
  if (full && !paused_) {
    paused_ = true;
    recorder_.limit_records(out->backlog() + recorder_.held_bytes() + kRecordRoom);
    lost_records_ = recorder_.lost(0);
    roster_.pause(true);
    drops_.pause(true);
  }
}

void Session::on_drained() {
  if (!paused_ || recorder_.output()->backlog() >= options_.queue_bytes / 2) return;
  paused_ = false;
  recorder_.limit_records(SIZE_MAX);
  roster_.pause(false);
  drops_.pause(false);
  if (recorder_.lost(0) == lost_records_) return;
  inventory_.time_ns = now_ns();
  recorder_.inventory(inventory_, /* at_once= */ false);
}

void Session::watch_parent_pipes() {
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat st {};
    if (::fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode)) {
      loop_.add(fd, 0, [this, fd](std::uint32_t) {
        loop_.remove(fd);
        stop();
      });
    }
  }
}

Status Session::watch_everything() {
  const sigset_t set = stop_signals();
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) return os_error(errno, "signalfd");
  loop_.add(signals_.get(), EPOLLIN, [this](std::uint32_t) { on_signal(); });
  Result<UniqueFd> tick = make_timer(kTick);
  if (!tick) return tick.error();
  tick_ = std::move(*tick);
  loop_.add(tick_.get(), EPOLLIN, [this](std::uint32_t) { on_tick(); });
  if (options_.duration.count() > 0) {
    Result<UniqueFd> deadline = make_timer(std::chrono::milliseconds(0));
    if (!deadline) return deadline.error();
    deadline_ = std::move(*deadline);
    arm_once(deadline_.get(), options_.duration);
    loop_.add(deadline_.get(), EPOLLIN, [this](std::uint32_t) { stop(); });
  }
  if (recorder_.output() != nullptr) {
    if (Status s = pump_.watch(recorder_.output()); !s) return s;
  }
  if (options_.extcap) watch_parent_pipes();
  reports_ = std::make_unique<Reports>(
      loop_, Reports::Hooks{.record = [this](annotate::Event&& e) { on_report(std::move(e)); },
                            .line = [this](const std::string& line) { panel_.line(line); }});
  watch_ = std::make_unique<InventoryWatch>(
      loop_, [this](model::Inventory&& i) { on_inventory(std::move(i)); },
      [this](const api::ContainerEvent& event) {
        roster_.on_event(event);
        changed_ = true;
      },
      [this](const Error& error) {
        record("lifecycle", "not-read", error.line());
        notice(error.line());
      });
  watch_->start();
  if (refresh_now_) watch_->refresh();
  if (options_.nat) watch_translations();
  return ok();
}

void Session::watch_translations() {
  nat_ = std::make_unique<NatLegs>(
      worker_, loop_,
      NatLegs::Hooks{.record = [this](annotate::Event&& e) { on_report(std::move(e)); },
                     .unavailable =
                         [this](const std::string& why) {
                           record("lifecycle", "nat-unavailable", why);
                           notice(why);
                         }});
  forwards_ = std::make_unique<ForwardWatch>(loop_, [this](annotate::Event&& e) { on_report(std::move(e)); });
  follow_translations();
}

// A file must stand alone.
void Session::repeat_translations() {
  const NatWatch::Record tell = [this](annotate::Event&& event) { recorder_.event_at_once(event); };
  if (nat_) nat_->repeat(tell);
  if (forwards_) forwards_->repeat(tell);
}

void Session::follow_translations() {
  if (nat_) nat_->captured(roster_.sources(), inventory_);
  if (forwards_) forwards_->captured(roster_.sources(), inventory_);
}

// A record of a probe or a translation tells when that began, so that it stands before its packets; but no
// later record may be before one that is written.
void Session::on_report(annotate::Event&& event) {
  if (event.kind == "firewall" && !captures(event.container_id)) return;
  const std::int64_t now = now_ns();
  for (std::int64_t* told : {&last_event_ns_, &released_ns_}) {
    if (*told - now > static_cast<std::int64_t>(Sequencer::kClockStep)) *told = 0;  // the clock was set back
  }
  event.time_ns = std::max(std::min(event.time_ns, now), std::max(last_event_ns_, released_ns_) + 1);
  recorder_.event(event);
  if (event.kind == "probe" && event.verdict == "failed" && options_.save_on_probe) save_why_ = "probe";
}

bool Session::captures(const std::string& container_id) const {
  const auto& sources = roster_.sources();
  return std::any_of(sources.begin(), sources.end(),
                     [&](const auto& source) { return source->target().container.id == container_id; });
}

void Session::after_change() {
  if (!std::exchange(changed_, false) || stopping_) return;
  roster_.give_up_failed();
  if (stopping_) return;
  const RosterOptions& how = options_.roster;
  if (!how.follow && !how.wait && roster_.idle()) {
    const auto& sources = roster_.sources();
    if (options_.save_on_exit) save_why_ = "exit";
    return stop(sources.size() == 1
                    ? "container " + in_quotes(sources.front()->target().container.name) + " has stopped"
                    : "all captured containers have stopped");
  }
  roster_.poke();
  drops_.follow(roster_.sources(), inventory_);
  const bool idle = roster_.idle();
  if (idle && !idle_) notice("nothing of it is running now: waiting for a start");
  idle_ = idle;
  follow_translations();
  if (watch_) watch_->refresh();
}

void Session::on_inventory(model::Inventory&& fresh) {
  if (no_podman(fresh) != nullptr) return;  // it is ill: keep what was known
  if (lacks_details(fresh)) fresh = with_details(std::move(fresh), inventory_);
  const bool same = fresh.same_state(inventory_);
  inventory_ = std::move(fresh);
  inventory_.time_ns = now_ns();  // when it is told: records stand in order of time
  if (!same) recorder_.inventory(inventory_, /* at_once= */ false);
  roster_.on_inventory(inventory_);
  drops_.follow(roster_.sources(), inventory_);
  if (ends_) ends_->known(inventory_);
  follow_translations();
}

void Session::on_tick() {
  acknowledge(tick_.get());
  if (options_.extcap && ::getppid() != parent_) return stop();
  if (options_.drops != DropMode::off) counters_.sample(roster_.sources(), drops_.ready());
  const annotate::Event stats = statistics();  // asks every namespace: once a second is enough
  const Summary now = totals(stats);
  show_progress(now);
  watch_loss(now);
  if (ends_) ends_->tick(now.dropped, drops_.ready());
  if (ticks_ + 1 == kEmptyTicks && summary_.packets == 0 && !empty_told_) tell_why_empty();
  panel_.tick(stats);
  if (nat_) nat_->tick();
  if (ticks_ == 0)  // not beside the first packets
    reports_->watch_rules(options_.drops != DropMode::off && !drops_.ready());
  if (++ticks_ % kInventoryTicks != 0) return;
  // Ring-buffer files and late readers must stand alone.
  inventory_.time_ns = now_ns();
  recorder_.inventory(inventory_, /* at_once= */ false);
  write_stats("running totals");
  if (watch_) watch_->refresh();
}

annotate::Event Session::statistics() {
  annotate::Event event;
  event.kind = "stats";
  event.time_ns = now_ns();
  roster_.add_statistics(event);
  return event;
}

Summary Session::totals(const annotate::Event& stats) const {
  Summary sum = summary_;
  for (const auto& l : stats.links) {
    sum.dropped += l.dropped;
    sum.queue_dropped += l.queue_dropped;
    sum.memory_dropped += l.memory_dropped;
    sum.link_errors += l.errors;
  }
  return sum;
}

void Session::record(const char* kind, const char* what, const std::string& detail) {
  annotate::Event event;
  event.kind = kind;
  event.time_ns = now_ns();
  event.what = what;
  event.detail = detail;
  recorder_.event(event);
}

void Session::pause_following(bool paused) {
  if (paused == std::exchange(following_paused_, paused)) return;
  record("lifecycle", paused ? "following-paused" : "following-resumed",
         paused ? "containers and links that appear from now on are left out"
                : "containers and links that appear are captured again");
  roster_.pause_following(paused);
}

void Session::show_progress(const Summary& now) {
  if (options_.progress == nullptr) return;
  *options_.progress << "\rpackets " << now.packets << "  bytes " << now.bytes << "  dropped " << now.dropped
                     << "   " << std::flush;
}

// Told once while it lasts; the closing line has the final figures.
void Session::watch_loss(const Summary& now) {
  const bool saves = options_.save_on_loss && !options_.history_path.empty();
  if (saves && loss_trigger_.due(now, recorder_.kept())) save_why_ = "loss";
  const std::string warning = loss_told_ ? std::string() : loss_warning(now);
  if (warning.empty()) return;
  loss_told_ = true;
  notice(warning);
  write_stats(warning.c_str());
}

void Session::tell_why_empty() {
  empty_told_ = true;
  const std::string why = one_line("no packet yet: " + empty_reason(roster_.empty_facts()), 400);
  record("check", "empty-capture", why);
  notice(why);
}

void Session::on_signal() {
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof(info)) != static_cast<ssize_t>(sizeof(info))) return;
  // The lease of a capture for another machine has run out (remote/line.h).
  if (info.ssi_signo == SIGHUP && std::getenv("PODSHARK_CARRIER") != nullptr && outcome_)
    outcome_ = Error{ErrorKind::unreachable,
                     "nothing has come from the other side for 6 s; what was captured until then is kept",
                     {}};
  if (info.ssi_signo != SIGUSR1) {
    signalled_ = true;
    return stop();
  }
  if (!options_.history_path.empty()) save_history("signal");
}

void Session::save_history(const char* why) {
  if (options_.history_path.empty()) return;
  repeat_translations();
  recorder_.release_all();
  inventory_.time_ns = now_ns();
  const std::string path = stamped_name(options_.history_path, inventory_.time_ns, why);
  saved_ = recorder_.save_history(path, inventory_);
  last_save_tick_ = ticks_;
  if (saved_) saved_packets_ = summary_.packets;
  if (saved_) return notice(recorder_.saved_line(path));
  if (!stopping_ && options_.failures != nullptr)  // at the end it is the outcome
    *options_.failures << "podshark capture: " << saved_.error().line() << std::endl;
}

void Session::rotate() {
  if (!outcome_ || stopping_) return;
  if (Status s = recorder_.rotate(inventory_, summary_.packets, [this] { repeat_translations(); }); !s) {
    outcome_ = std::move(s);
    stop();
  }
}

void Session::write_stats(const char* detail) {
  annotate::Event event = statistics();
  event.detail = detail;
  recorder_.event(event);
}

void Session::finish() {
  if (!options_.history_path.empty()) repeat_translations();  // who knows them goes
  watch_.reset();
  reports_.reset();
  nat_.reset();
  forwards_.reset();
  finishing_ = true;
  recorder_.limit_records(SIZE_MAX);
  if (options_.count == 0 || summary_.packets < options_.count)
    NetnsCapture::wait_for_last_blocks(options_.link);
  if (summary_.packets == 0 && (ticks_ > 0 || empty_told_)) tell_why_empty();
  const bool drops = drops_.ready();
  if (ends_) ends_->finish();
  roster_.close();
  drops_.close();
  annotate::Event stats = statistics();  // streams tell their drops at their end
  summary_ = totals(stats);
  if (ends_) {
    ends_->conclude();
    ends_->tick(summary_.dropped, drops);
    stats.time_ns = now_ns();
  }
  stats.detail = "capture ended";
  recorder_.event(stats);
  panel_.line("capture ended: " + std::to_string(summary_.packets) + " packets, " + loss_text(stats));
  recorder_.release_all();
  if (save_why_ == nullptr && options_.save_on_end && summary_.packets > saved_packets_) save_why_ = "end";
  if (save_why_ != nullptr) save_history(save_why_);
  if (outcome_ && !saved_) outcome_ = saved_.error();
  if (outcome_) {
    if (Status s = recorder_.flush(); !s) outcome_ = std::move(s);
  }
  if (Output* output = recorder_.output(); outcome_ && output != nullptr) {
    if (Status s = output->drain(options_.extcap && signalled_); !s) outcome_ = std::move(s);
    if (const std::string untaken = output->untaken(); !untaken.empty()) notice(untaken);
  }
  if (recorder_.lost(0) > 0)
    notice(std::to_string(recorder_.lost(0)) + " records were lost: too long, or no room for them");
  if (options_.progress != nullptr) *options_.progress << "\r" << std::flush;
}

Result<Summary> Session::run() {
  if (const Status s = watch_everything(); !s) return s.error();
  recorder_.release_all();
  flush();
  while (!stopping_) {
    const auto began = static_cast<std::uint64_t>(now_ns());
    loop_.wait(recorder_.holding() ? options_.link.pace.hold_ms : -1);
    after_change();
    drops_.take();
    release(began);
    flush();
    rotate();
    if (save_why_ != nullptr && !stopping_ && ticks_ - last_save_tick_ >= kSaveTicks)
      save_history(std::exchange(save_why_, nullptr));
  }
  finish();
  if (!outcome_) return outcome_.error();
  return summary_;
}

}  // namespace

std::string loss_warning(const Summary& s) {
  const std::uint64_t all = s.packets + s.dropped;
  if (s.dropped * 1000 < all || s.dropped == 0) return {};
  const std::uint64_t hundredths = s.dropped * 10000 / all;
  std::string fraction = std::to_string(hundredths % 100);
  fraction.insert(0, 2 - fraction.size(), '0');
  std::string out = std::to_string(hundredths / 100) + "." + fraction +
                    " % of the packets were lost: " + std::to_string(s.dropped) + " of " +
                    std::to_string(all);
  if (s.queue_dropped > 0)
    out += ", " + std::to_string(s.queue_dropped) + " of them because the reader was too slow";
  if (s.memory_dropped > 0)
    out += ", " + std::to_string(s.memory_dropped) + " of them because there was no memory for them";
  if (s.memory_dropped * 2 > s.dropped)
    return out + " (free some, or raise the limit that 'ulimit -v' shows; a smaller --ring-size needs less)";
  return out + (s.queue_dropped * 2 > s.dropped
                    ? " (a larger --queue-size, a filter, or -w to a file helps)"
                    : " (a larger --ring-size, a filter or a smaller --snaplen helps)");
}

bool LossTrigger::due(const Summary& now, std::chrono::seconds kept) {
  Summary second;
  second.packets = now.packets - std::min(now.packets, last_.packets);
  second.dropped = now.dropped - std::min(now.dropped, last_.dropped);
  last_ = now;
  if (since_saved_) ++*since_saved_;
  lost_ = lost_ || !loss_warning(second).empty();
  if (!lost_ || (since_saved_ && *since_saved_ < std::max(kept, kLossPause))) return false;
  lost_ = false;
  since_saved_ = std::chrono::seconds(0);
  return true;
}

void prepare_signals(bool extcap) {
  const sigset_t set = stop_signals();
  (void)::sigprocmask(SIG_BLOCK, &set, nullptr);
  (void)::signal(SIGPIPE, SIG_IGN);
  (void)::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow any more is an error of write(2)
  if (extcap) (void)::prctl(PR_SET_PDEATHSIG, SIGTERM);
}

Result<Summary> run_session(Recorder& recorder, Selection selection, const SessionOptions& options) {
  Result<EventLoop> loop = EventLoop::create();
  if (!loop) return loop.error();
  Session session(recorder, options, std::move(*loop));
  if (const Status s = session.begin(std::move(selection)); !s) {
    recorder.release_all();
    (void)recorder.flush();
    return s.error();
  }
  return session.run();
}

}  // namespace podshark::extcap
