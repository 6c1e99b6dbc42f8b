// SPDX-License-Identifier: GPL-2.0-or-later
// One thread, one epoll, as a capture of this machine: each other machine is a child podshark, whatever way
// that has of capturing there. Records wait here and packets in the recorder's lanes until nothing older can
// come.
#include "extcap/remote/merge.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <memory>
#include <ostream>
#include <utility>
#include <variant>

#include "extcap/capture/output_pump.h"
#include "extcap/remote/merge_book.h"
#include "extcap/remote/merge_order.h"
#include "podman/core/clock.h"
#include "podman/core/text.h"

namespace podshark::extcap::remote {
namespace {

constexpr std::chrono::milliseconds kTick{1000};
constexpr std::int64_t kStartLimit = 5'000'000'000;  // for connections and clocks; then it goes on without
constexpr std::int64_t kStartRound = 2'000'000'000;  // more for each kMostConnecting others
constexpr int kInventoryTicks = 60;
constexpr int kSaveTicks = 5;
constexpr int kHoldMs = 5;
constexpr int kMostConnecting = 3;
constexpr int kEndTicks = 10;  // a machine flushes and ends; its link may be dead

class Merge {
 public:
  Merge(Recorder& recorder, std::vector<MergeSource> sources, const SessionOptions& options, EventLoop loop);
  Merge(const Merge&) = delete;
  Merge& operator=(const Merge&) = delete;

  [[nodiscard]] Result<MergeSummary> run();

 private:
  struct Host {
    std::unique_ptr<MergeHost> it;
    std::string last_line;
    model::Inventory inventory;  // as far as released
    bool begun = false;
    bool ended = false;
  };
  struct Listing {
    std::size_t host;
    model::Inventory inventory;
  };
  struct Repeat {  // of the inventory, for late readers
    std::int64_t time_ns;
  };
  using Pending = std::variant<annotate::MovedEvent, Listing, Repeat>;

  MergeHost::Hooks hooks_of(std::size_t number);
  [[nodiscard]] Status begin();
  [[nodiscard]] Status start_some();
  void start_others() {
    if (Status s = start_some(); !s) {
      outcome_ = std::move(s);
      stop();
    }
  }
  void on_packet(std::size_t number, std::uint64_t time_ns, std::size_t captured);
  void on_event(std::size_t number, annotate::MovedEvent&& event);
  void on_inventory(std::size_t number);
  void put_records(std::uint64_t until_ns);
  void put(Pending& record);
  void on_ended(std::size_t number, Result<int> code);
  void lost(std::size_t number, const Error& why);
  [[nodiscard]] bool takes() const { return options_.count == 0 || packets_ < options_.count; }
  [[nodiscard]] const model::Inventory& inventory(std::int64_t time_ns);
  [[nodiscard]] Summary totals() const;
  void release();
  void flush();
  void pause(bool paused);
  void on_tick();
  void on_signal();
  void save_history(const char* why);
  void rotate();
  void repeat_translations();
  void notice(const std::string& line);
  void stop() { stopping_ = true; }
  void finish();

  Recorder& recorder_;
  const SessionOptions& options_;
  EventLoop loop_;
  OutputPump pump_;
  std::int64_t began_ns_ = now_ns();
  std::int64_t first_begun_ns_ = 0;  // the first machine's stream
  std::int64_t start_limit_ns_;
  MergeOrder order_;
  std::vector<Host> hosts_;
  std::multimap<std::int64_t, Pending> records_;  // by time, not yet released
  model::Inventory inventory_;                    // of all
  OpenTranslations translations_;
  LossBook losses_;
  UniqueFd signals_;
  UniqueFd tick_;
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  std::size_t started_ = 0;  // of hosts_
  std::size_t running_ = 0;
  int ticks_ = 0;
  int last_save_tick_ = -kSaveTicks;
  int failed_code_ = 0;  // of one that never began
  int lost_code_ = 0;
  bool paused_ = false;
  bool stopping_ = false;
  LossTrigger loss_trigger_;
  const char* save_why_ = nullptr;
  std::uint64_t saved_packets_ = 0;
  Status saved_ = ok();  // the last try to
  Status outcome_ = ok();
};

Merge::Merge(Recorder& recorder, std::vector<MergeSource> sources, const SessionOptions& options,
             EventLoop loop)
    : recorder_(recorder),
      options_(options),
      loop_(std::move(loop)),
      pump_(loop_, {.gone = [this] { stop(); },
                    .failed = [this](Error error) { outcome_ = std::move(error); },
                    .drained =
                        [this] {
                          if (paused_ && recorder_.output()->backlog() < options_.queue_bytes / 2)
                            pause(false);
                        }}),
      start_limit_ns_(began_ns_ + kStartLimit +
                      static_cast<std::int64_t>((sources.size() - 1) / kMostConnecting) * kStartRound),
      order_(sources.size(), static_cast<std::uint64_t>(start_limit_ns_)) {
  const bool several = sources.size() > 1;
  hosts_.resize(sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i)
    hosts_[i].it = std::make_unique<MergeHost>(loop_, std::move(sources[i]), several, hooks_of(i));
}

MergeHost::Hooks Merge::hooks_of(std::size_t number) {
  return {.begun =
              [this, number] {
                hosts_[number].begun = true;
                start_others();
                if (first_begun_ns_ == 0) first_begun_ns_ = now_ns();
                order_.begun(number);
              },
          .interface = [this](const wire::InterfaceInfo& info) { return recorder_.add_interface(info); },
          .packet =
              [this, number](std::uint32_t id, std::uint64_t time_ns, const PcapngFeed::Packet& packet) {
                if (!takes()) return;
                recorder_.copy(id, time_ns, packet.block);
                on_packet(number, time_ns, packet.data.size());
              },
          .dropped =
              [this, number](std::uint32_t id, const wire::Packet& packet, const std::string& comment,
                             const std::string& json) {
                recorder_.dropped(id, packet, comment, json);
                order_.packet(number, packet.time_ns, static_cast<std::uint64_t>(now_ns()));
              },
          .event = [this, number](annotate::MovedEvent&& event) { on_event(number, std::move(event)); },
          .inventory = [this, number] { on_inventory(number); },
          .statistics =
              [this](wire::InterfaceCounters counters) {
                counters.dropped += recorder_.lost(counters.interface_id);
                recorder_.statistics(counters);
              },
          .line =
              [this, number](const std::string& line) {
                hosts_[number].last_line = line;
                if (options_.notices != nullptr) *options_.notices << line << std::endl;
              },
          .notice = [this](const std::string& line) { notice(line); },
          .ended = [this, number](Result<int> code) { on_ended(number, std::move(code)); }};
}

void Merge::notice(const std::string& line) {
  if (options_.notices != nullptr)
    *options_.notices << "podshark capture: " << one_line(line, 400) << std::endl;
}

Status Merge::begin() {
  sigset_t set;
  sigemptyset(&set);
  for (const int s : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, s);
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) return os_error(errno, "signalfd");
  loop_.add(signals_.get(), EPOLLIN, [this](std::uint32_t) { on_signal(); });
  Result<UniqueFd> tick = make_timer(kTick);
  if (!tick) return tick.error();
  tick_ = std::move(*tick);
  loop_.add(tick_.get(), EPOLLIN, [this](std::uint32_t) { on_tick(); });
  if (recorder_.output() != nullptr) {
    if (Status s = pump_.watch(recorder_.output()); !s) return s;
  }
  running_ = hosts_.size();
  return start_some();
}

// Each has two connections, and sshd, or a jump host's, takes ten beginners at once (MaxStartups).
Status Merge::start_some() {
  while (started_ < hosts_.size() && !stopping_) {
    const auto connecting =
        std::count_if(hosts_.begin(), hosts_.begin() + static_cast<std::ptrdiff_t>(started_),
                      [](const Host& host) { return !host.begun && !host.ended; });
    if (connecting >= kMostConnecting) break;
    if (Status s = hosts_[started_++].it->start(); !s) return s;
  }
  return ok();
}

void Merge::on_packet(std::size_t number, std::uint64_t time_ns, std::size_t captured) {
  order_.packet(number, time_ns, static_cast<std::uint64_t>(now_ns()));
  ++packets_;
  bytes_ += captured;
  if (!takes()) stop();
}

void Merge::on_event(std::size_t number, annotate::MovedEvent&& moved) {
  const annotate::Event& event = moved.event;
  translations_.take(event);
  losses_.take(number, event);
  if (event.kind == "lifecycle" && event.what == "exited" && options_.save_on_exit) save_why_ = "exit";
  if (event.kind == "probe" && event.verdict == "failed" && options_.save_on_probe) save_why_ = "probe";
  records_.emplace(event.time_ns, std::move(moved));
}

const model::Inventory& Merge::inventory(std::int64_t time_ns) {
  inventory_.time_ns = time_ns;
  return inventory_;
}

void Merge::on_inventory(std::size_t number) {
  const model::Inventory& fresh = hosts_[number].it->inventory();
  records_.emplace(fresh.time_ns, Listing{number, fresh});
}

// Inventories are put together in the order in which they stand in the file.
void Merge::put(Pending& record) {
  if (const auto* event = std::get_if<annotate::MovedEvent>(&record)) return recorder_.event(*event);
  if (const auto* repeat = std::get_if<Repeat>(&record))
    return recorder_.inventory(inventory(repeat->time_ns), /* at_once= */ false);
  auto& listing = std::get<Listing>(record);
  const std::int64_t time_ns = listing.inventory.time_ns;
  hosts_[listing.host].inventory = std::move(listing.inventory);
  std::vector<const model::Inventory*> all;
  all.reserve(hosts_.size());
  for (const Host& host : hosts_) all.push_back(&host.inventory);
  inventory_ = merged_inventory(all, all.size() == 1 ? all.front()->host : own_host_name());
  recorder_.inventory(inventory(time_ns), /* at_once= */ false);
}

void Merge::on_ended(std::size_t number, Result<int> code) {
  Host& host = hosts_[number];
  host.ended = true;
  order_.ended(number);
  --running_;
  // One that was only starting is killed by what would have ended it.
  const bool asked = stopping_ && (host.begun || (code && *code == 128 + SIGTERM));
  if (running_ == 0) stop();
  start_others();
  if (code && (*code == 0 || asked)) {
    if (running_ > 0 && !asked) notice("the capture of " + host.it->name() + " has ended; the others go on");
    return;
  }
  // It has told why itself, if it could.
  const Error why = code ? Error{static_cast<ErrorKind>(*code), host.last_line, {}} : code.error();
  if (!code || *code >= 128)
    notice("the capture of " + host.it->name() + " was lost" +
           (code ? ": its podshark was killed" : ": " + why.line()));
  lost(number, why);
}

void Merge::lost(std::size_t number, const Error& why) {
  const Host& host = hosts_[number];
  int& code = host.begun ? lost_code_ : failed_code_;
  if (code == 0) code = static_cast<int>(why.kind);
  annotate::MovedEvent gap;
  gap.event.kind = "gap";
  gap.event.what = host.begun ? "host-lost" : "host-failed";
  gap.event.time_ns = now_ns();
  gap.event.host = host.it->host();
  gap.event.detail =
      one_line("nothing of " + host.it->name() + (host.begun ? " from here on: " : ": ") + why.what, 400);
  gap.json = annotate::encode_event(gap.event);
  records_.emplace(gap.event.time_ns, std::move(gap));
}

void Merge::release() {
  const auto now = static_cast<std::uint64_t>(now_ns());
  const std::uint64_t until = order_.until(now);
  put_records(until);
  recorder_.release(until, now);
  // Stamps are the other side's: they must not make us hold more than we would for a slow reader.
  if (recorder_.held_bytes() >= options_.queue_bytes) recorder_.release_all();
}

void Merge::put_records(std::uint64_t until_ns) {
  auto it = records_.begin();
  for (; it != records_.end() && static_cast<std::uint64_t>(it->first) <= until_ns; it = records_.erase(it))
    put(it->second);
  // Of a machine whose clock is ahead, and could not be asked: as its packets, they do not wait
  // (sequencer.h).
  const auto ahead = now_ns() + static_cast<std::int64_t>(Sequencer::kClockStep);
  for (auto far = records_.upper_bound(ahead); far != records_.end(); far = records_.erase(far))
    put(far->second);
}

void Merge::flush() {
  if (!outcome_) return;
  if (Status s = recorder_.flush(); !s) outcome_ = std::move(s);
  const Output* out = recorder_.output();
  if (!outcome_ || (out != nullptr && out->reader_gone())) return stop();
  if (out == nullptr) return;
  pump_.pump();
  if (!paused_ && out->backlog() >= options_.queue_bytes) pause(true);
}

// Their podsharks then keep what comes, as far as they can.
void Merge::pause(bool paused) {
  paused_ = paused;
  for (const Host& host : hosts_) host.it->pause(paused);
}

Summary Merge::totals() const {
  Summary out;
  out.packets = packets_;
  out.bytes = bytes_;
  losses_.add_to(out);
  out.dropped += recorder_.lost_packets();
  out.memory_dropped += recorder_.lost_packets();
  return out;
}

void Merge::on_tick() {
  acknowledge(tick_.get());
  const std::int64_t now = now_ns();
  if (now > start_limit_ns_) {
    for (const Host& host : hosts_) host.it->wait_no_longer();
  }
  const Summary sum = totals();
  if (options_.progress != nullptr)
    *options_.progress << "\rpackets " << sum.packets << "  bytes " << sum.bytes << "  dropped "
                       << sum.dropped << "   " << std::flush;
  // The machine itself has told it.
  const bool saves = options_.save_on_loss && !options_.history_path.empty();
  if (saves && loss_trigger_.due(sum, recorder_.kept())) save_why_ = "loss";
  ++ticks_;
  const std::int64_t duration = options_.duration.count() * 1'000'000'000;
  if (duration != 0 && first_begun_ns_ != 0 && now - first_begun_ns_ >= duration) stop();
  if (ticks_ % kInventoryTicks == 0) records_.emplace(now, Repeat{now});
}

void Merge::on_signal() {
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof(info)) != static_cast<ssize_t>(sizeof(info))) return;
  if (info.ssi_signo != SIGUSR1) return stop();
  save_history("signal");
}

void Merge::repeat_translations() {
  translations_.repeat(now_ns(), [this](const annotate::Event& event) { recorder_.event_at_once(event); });
}

void Merge::save_history(const char* why) {
  if (options_.history_path.empty()) return;
  put_records(~std::uint64_t{0});
  repeat_translations();
  recorder_.release_all();
  const std::int64_t now = now_ns();
  const std::string path = stamped_name(options_.history_path, now, why);
  saved_ = recorder_.save_history(path, inventory(now));
  last_save_tick_ = ticks_;
  if (saved_) saved_packets_ = packets_;
  if (saved_) return notice(recorder_.saved_line(path));
  if (!stopping_ && options_.failures != nullptr)  // at the end it is the outcome
    *options_.failures << "podshark capture: " << saved_.error().line() << std::endl;
}

void Merge::rotate() {
  if (!outcome_ || stopping_) return;
  if (Status s = recorder_.rotate(inventory(now_ns()), packets_, [this] { repeat_translations(); }); !s) {
    outcome_ = std::move(s);
    stop();
  }
}

void Merge::finish() {
  if (paused_) pause(false);
  for (const Host& host : hosts_) host.it->stop();
  running_ -= hosts_.size() - started_;
  const int last = ticks_ + kEndTicks;
  const Output* out = recorder_.output();
  while (running_ > 0 && ticks_ < last && outcome_ && (out == nullptr || !out->reader_gone())) {
    loop_.wait(kHoldMs);
    release();
    flush();
  }
  for (std::size_t i = 0; i < hosts_.size(); ++i) order_.ended(i);
  release();
  recorder_.release_all();
  if (save_why_ == nullptr && options_.save_on_end && packets_ > saved_packets_) save_why_ = "end";
  if (save_why_ != nullptr) save_history(save_why_);
  if (outcome_ && !saved_) outcome_ = saved_.error();
  if (outcome_) {
    if (Status s = recorder_.flush(); !s) outcome_ = std::move(s);
  }
  if (Output* output = recorder_.output(); outcome_ && output != nullptr) {
    if (Status s = output->drain(/* hurry= */ false); !s) outcome_ = std::move(s);
    if (const std::string untaken = output->untaken(); !untaken.empty()) notice(untaken);
  }
  if (options_.progress != nullptr) *options_.progress << "\r" << std::flush;
}

Result<MergeSummary> Merge::run() {
  if (const Status s = begin(); !s) return s.error();
  flush();
  while (!stopping_) {
    loop_.wait(recorder_.holding() || !records_.empty() ? kHoldMs : -1);
    release();
    flush();
    rotate();
    if (save_why_ != nullptr && !stopping_ && ticks_ - last_save_tick_ >= kSaveTicks)
      save_history(std::exchange(save_why_, nullptr));
  }
  const bool by_itself = running_ == 0;
  finish();
  if (!outcome_) return outcome_.error();
  MergeSummary out{totals(), failed_code_};
  out.sum.late = order_.late();
  if (out.exit_code == 0 && by_itself) out.exit_code = lost_code_;
  return out;
}

}  // namespace

Result<MergeSummary> run_merge(Recorder& recorder, std::vector<MergeSource> sources,
                               const SessionOptions& options) {
  Result<EventLoop> loop = EventLoop::create();
  if (!loop) return loop.error();
  Merge merge(recorder, std::move(sources), options, std::move(*loop));
  return merge.run();
}

}  // namespace podshark::extcap::remote
