// SPDX-License-Identifier: GPL-2.0-or-later
// One thread, one epoll. A refresh is two steps: at the tick every meter cuts its interval, and when the
// packets of that interval have come out of the rings (kSettle later) the report is made and shown.
// Containers come and go through podman's events; a look at conmon processes now and then finds those that
// podman did not tell of.
#include "extcap/top/top_session.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "extcap/capture/event_loop.h"
#include "extcap/capture/inventory_watch.h"
#include "extcap/inventory_source.h"
#include "extcap/list_cache.h"
#include "extcap/selection.h"
#include "extcap/top/netns_meter.h"
#include "extcap/top/render.h"
#include "extcap/top/terminal.h"
#include "extcap/worker_client.h"
#include "podman/core/clock.h"
#include "podman/discover/discover.h"

namespace podshark::extcap::top {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSettle{2 * NetnsMeter::kRetireMs + 10};
constexpr milliseconds kScan{5000};
constexpr std::size_t kRingBudget = std::size_t{64} << 20U;  // of all rings, while there are not very many
constexpr std::size_t kSmallestRing = std::size_t{512} << 10U;
constexpr std::size_t kLargestRing = std::size_t{4} << 20U;
constexpr std::size_t kMaxRemembered = 4096;  // names whose sums since the start are kept

struct Signals {
  UniqueFd stop;    ///< SIGINT, SIGTERM, SIGHUP
  UniqueFd resize;  ///< SIGWINCH
};

Result<UniqueFd> signal_fd(std::initializer_list<int> numbers) {
  sigset_t set;
  sigemptyset(&set);
  for (const int n : numbers) sigaddset(&set, n);
  (void)::sigprocmask(SIG_BLOCK, &set, nullptr);
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return os_error(errno, "signalfd");
  return fd;
}

// A network is measured in the containers that are in it.
std::vector<std::string> names_in_network(const std::string& network, const model::Inventory& inventory) {
  std::vector<std::string> out;
  for (const model::Container& c : inventory.containers) {
    const bool member = c.alive() && std::any_of(c.networks.begin(), c.networks.end(),
                                                 [&](const auto& a) { return a.network == network; });
    const model::Pod* pod = c.infra ? inventory.pod_by_id(c.pod_id) : nullptr;
    if (member) out.push_back(pod != nullptr ? interface_value(*pod) : c.id);
  }
  return out;
}

std::string clock_text(std::int64_t time_ns) {
  const time_t seconds = time_ns / 1'000'000'000;
  tm parts{};
  std::array<char, 16> out{};
  (void)::localtime_r(&seconds, &parts);
  (void)::strftime(out.data(), out.size(), "%H:%M:%S", &parts);
  return out.data();
}

std::string seconds_text(milliseconds time) {
  const auto ms = time.count();
  std::string out = std::to_string(ms / 1000);
  if (ms % 1000 == 0) return out;
  std::string fraction = std::to_string(ms % 1000 + 1000).substr(1);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return out + "." + fraction;
}

class TopSession {
 public:
  TopSession(const TopOptions& options, EventLoop loop, Signals signals)
      : options_(options), sort_(options.sort), loop_(std::move(loop)), signals_(std::move(signals)) {
    if (options_.targets.empty()) options_.targets = {"all"};
    everything_ = std::any_of(options_.targets.begin(), options_.targets.end(),
                              [](const std::string& t) { return t == "all" || t == kAllValue; });
  }

  Status start();
  Status run();

 private:
  Status attach_first();
  Status watch();
  Status add_timer(UniqueFd& timer, milliseconds interval, void (TopSession::*handler)());
  void watch_reader();
  void watch_keys();
  [[nodiscard]] std::vector<Target> wanted() const;
  [[nodiscard]] Status attach(const Target& target);
  void follow_targets();
  void publish_ports();
  void on_inventory(model::Inventory&& fresh);
  void on_tick();
  void on_settled();
  void on_scan();
  void on_key();
  [[nodiscard]] Report make_report();
  void remember(Entry& entry);
  void show(Report&& report);
  void draw();
  void write(const std::string& text);
  [[nodiscard]] std::string header(const Report& report) const;
  void stop() { stopping_ = true; }

  TopOptions options_;
  Sort sort_;
  bool everything_ = false;
  EventLoop loop_;
  Signals signals_;
  UniqueFd tick_;
  UniqueFd settled_;
  UniqueFd scan_;
  WorkerClient worker_;
  model::Inventory inventory_;
  std::vector<std::unique_ptr<NetnsMeter>> meters_;
  std::map<std::string, std::string> failed_;  // interface value → why it is not measured
  std::map<std::string, Sums> since_start_;    // by interface value: a restarted container goes on
  Sums total_since_start_;
  std::unique_ptr<InventoryWatch> watch_;
  std::optional<Screen> screen_;
  std::optional<Report> shown_;
  std::int64_t cut_ns_ = 0;  // CLOCK_REALTIME of the last tick
  bool settling_ = false;    // it has no report yet
  std::uint64_t refreshes_ = 0;
  bool stopping_ = false;
  Status outcome_ = ok();
};

Status TopSession::start() {
  Selection selection;
  if (everything_) {
    selection.inventory = discover_all();
    if (const model::Problem* p = no_podman(selection.inventory))
      return Error{ErrorKind::no_podman, p->what, p->hint};
  } else {
    Result<Selection> chosen = select(options_.targets, {.wait = false, .start = false});
    if (!chosen) return chosen.error();
    selection = std::move(*chosen);
  }
  inventory_ = std::move(selection.inventory);
  if (Status s = attach_first(); !s) return s;
  if (Status s = watch(); !s) return s;
  if (selection.remembered && watch_) watch_->refresh();
  return ok();
}

Status TopSession::attach_first() {
  const std::vector<Target> targets = wanted();
  Status first = ok();
  for (const Target& target : targets) {
    Status s = attach(target);
    if (!s && first) first = std::move(s);
  }
  publish_ports();
  // Of all containers, some may be shown; a container that was asked for must be.
  const bool none = meters_.empty() && !targets.empty();
  return first || (everything_ && !none) ? ok() : std::move(first);
}

std::vector<Target> TopSession::wanted() const {
  std::vector<std::string> names;
  for (const std::string& name : options_.targets) {
    const std::vector<Target> found = resolve_running({name}, inventory_, ::geteuid());
    if (found.size() != 1 || found.front().network.empty()) {
      names.push_back(name);
      continue;
    }
    for (std::string& n : names_in_network(found.front().network, inventory_)) names.push_back(std::move(n));
  }
  return resolve_running(names, inventory_, ::geteuid());
}

Status TopSession::attach(const Target& target) {
  NetnsMeter::Options o;
  o.peers = options_.peers > 0;
  const auto alive = std::count_if(inventory_.containers.begin(), inventory_.containers.end(),
                                   [](const model::Container& c) { return c.alive(); });
  const std::size_t links = 2 * std::max<std::size_t>(static_cast<std::size_t>(alive), 1);
  o.ring_bytes = std::clamp(kRingBudget / links, kSmallestRing, kLargestRing);
  Result<std::unique_ptr<NetnsMeter>> meter = NetnsMeter::open(target, o, worker_, loop_, [this] {
    if (watch_) watch_->refresh();
  });
  failed_.erase(target.value);
  if (!meter) {
    if (meter.error().kind != ErrorKind::gone) failed_[target.value] = meter.error().line();
    return meter.error();
  }
  meters_.push_back(std::move(*meter));
  return ok();
}

// Meters of processes that have ended go by themselves, after their last numbers were shown.
void TopSession::follow_targets() {
  std::set<std::string> names;
  for (const Target& t : wanted()) {
    names.insert(t.value);
    const auto same = [&](const std::unique_ptr<NetnsMeter>& m) {
      const model::Container& c = m->target().container;
      return c.id == t.container.id && c.same_process(t.container);
    };
    const auto it = std::find_if(meters_.begin(), meters_.end(), same);
    if (it == meters_.end()) {
      (void)attach(t);  // a failure is a line in the report
    } else {
      (*it)->rename(t);
    }
  }
  std::erase_if(failed_, [&](const auto& f) { return !names.contains(f.first); });
  publish_ports();
}

void TopSession::publish_ports() {
  for (const auto& m : meters_) {
    for (const model::Container& c : inventory_.containers) {
      const model::Container& owner = m->target().container;
      if (c.id == owner.id || c.shares_with == owner.id) m->publish(c.ports);
    }
  }
}

void TopSession::on_inventory(model::Inventory&& fresh) {
  if (no_podman(fresh) != nullptr) return;  // it is ill: keep what was known
  if (lacks_details(fresh)) fresh = with_details(std::move(fresh), inventory_);
  inventory_ = std::move(fresh);
  follow_targets();
}

void TopSession::on_scan() {
  if (watch_ && !same_processes(discover::scan_conmon(), inventory_)) watch_->refresh();
}

Status TopSession::add_timer(UniqueFd& timer, milliseconds interval, void (TopSession::*handler)()) {
  Result<UniqueFd> made = make_timer(interval);
  if (!made) return made.error();
  timer = std::move(*made);
  loop_.add(timer.get(), EPOLLIN, [this, fd = timer.get(), handler](std::uint32_t) {
    acknowledge(fd);
    (this->*handler)();
  });
  return ok();
}

Status TopSession::watch() {
  loop_.add(signals_.stop.get(), EPOLLIN, [this](std::uint32_t) { stop(); });
  loop_.add(signals_.resize.get(), EPOLLIN, [this](std::uint32_t) {
    signalfd_siginfo info{};
    while (::read(signals_.resize.get(), &info, sizeof(info)) > 0) {
    }
    draw();
  });
  if (Status s = add_timer(tick_, options_.interval, &TopSession::on_tick); !s) return s;
  if (Status s = add_timer(settled_, milliseconds(0), &TopSession::on_settled); !s) return s;
  if (options_.count == 1) return ok();  // nobody comes or goes within one interval
  if (Status s = add_timer(scan_, kScan, &TopSession::on_scan); !s) return s;
  watch_ = std::make_unique<InventoryWatch>(
      loop_, [this](model::Inventory&& i) { on_inventory(std::move(i)); }, [](const auto&) {});
  watch_->start();
  return ok();
}

// EPOLLERR, always delivered, is the reader of a pipe closing: also while there is nothing to write.
void TopSession::watch_reader() {
  loop_.add(STDOUT_FILENO, 0, [this](std::uint32_t events) {
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) stop();
  });
}

void TopSession::watch_keys() {
  if (::isatty(STDIN_FILENO) != 0) {
    loop_.add(STDIN_FILENO, EPOLLIN, [this](std::uint32_t) { on_key(); });
  }
}

void TopSession::on_key() {
  std::array<char, 64> keys{};
  const ssize_t n = ::read(STDIN_FILENO, keys.data(), keys.size());
  if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) return loop_.remove(STDIN_FILENO);
  for (ssize_t i = 0; i < n; ++i) {
    const char key = keys[static_cast<std::size_t>(i)];
    if (key == 'q' || key == 'Q') stop();
    if (key == 's') sort_ = next(sort_);
  }
  draw();
}

void TopSession::on_tick() {
  on_settled();  // after a stall both timers may be due, and this one be told first
  cut_ns_ = now_ns();
  settling_ = true;
  for (const auto& m : meters_) m->cut();
  arm_once(settled_.get(), kSettle);
}

void TopSession::on_settled() {
  if (!std::exchange(settling_, false)) return;
  show(make_report());
  std::erase_if(meters_, [](const auto& m) { return m->ended(); });
  if (options_.count != 0 && ++refreshes_ >= options_.count) stop();
}

void TopSession::remember(Entry& e) {
  // Names that are not seen any more make room; a container restarted later begins at zero then.
  if (since_start_.size() >= kMaxRemembered && !since_start_.contains(e.interface)) since_start_.clear();
  e.since_start = since_start_[e.interface] += e.now;
}

Report TopSession::make_report() {
  Report report;
  report.time_ns = cut_ns_;
  if (meters_.empty()) report.seconds = static_cast<double>(options_.interval.count()) / 1000;
  const AddressBook book(inventory_);
  for (const auto& m : meters_) {
    Measured measured = m->take();
    if (!measured.problem.empty()) report.problems.push_back(measured.problem);
    Entry entry = judge(std::move(measured), inventory_, book, options_.peers);
    remember(entry);
    report.seconds = std::max(report.seconds, entry.seconds);
    report.total += entry.now;
    report.entries.push_back(std::move(entry));
  }
  report.pods = sum_pods(report.entries);
  report.total_since_start = total_since_start_ += report.total;
  for (const auto& [name, why] : failed_) report.problems.push_back(name + ": " + why);
  return report;
}

std::string TopSession::header(const Report& report) const {
  std::string out = "podshark top  " + clock_text(report.time_ns) + "  every " +
                    seconds_text(options_.interval) + " s  by " + to_string(sort_);
  return screen_ ? out + "  (s: next order, q: end)" : out;
}

void TopSession::write(const std::string& text) {
  const Result<WriteEnd> end = write_unless_stopped(STDOUT_FILENO, text, signals_.stop.get());
  if (!end) outcome_ = end.error();
  if (!end || end->reader_gone || end->stopped) stop();
}

void TopSession::show(Report&& report) {
  sort_entries(report.entries, sort_);
  if (options_.json) return write(render_json(report) + "\n");
  shown_ = std::move(report);
  if (screen_) return draw();
  std::string text = refreshes_ == 0 ? "" : "\n";
  const TextOptions plain{.width = 0, .height = 0, .totals = options_.count != 1, .header = header(*shown_)};
  for (const std::string& line : render_text(*shown_, plain)) text += line + "\n";
  write(text);
}

void TopSession::draw() {
  if (!screen_) return;
  const Screen::Size size = screen_->size();
  if (!shown_) {
    const std::string first = "podshark top: measuring for " + seconds_text(options_.interval) + " s";
    return write(Screen::frame({first}));
  }
  sort_entries(shown_->entries, sort_);
  const TextOptions o{.width = size.width, .height = size.height, .totals = true, .header = header(*shown_)};
  write(Screen::frame(render_text(*shown_, o)));
}

Status TopSession::run() {
  if (!options_.json && options_.count != 1 && ::isatty(STDOUT_FILENO) != 0) {
    screen_.emplace(STDIN_FILENO, STDOUT_FILENO);
    watch_keys();
    draw();
  } else {
    watch_reader();
  }
  while (!stopping_) loop_.wait(-1);
  screen_.reset();
  return std::move(outcome_);
}

}  // namespace

Status run_top(const TopOptions& options) {
  (void)::signal(SIGPIPE, SIG_IGN);
  Result<UniqueFd> stop = signal_fd({SIGINT, SIGTERM, SIGHUP});
  Result<UniqueFd> resize = signal_fd({SIGWINCH});
  if (!stop) return stop.error();
  if (!resize) return resize.error();
  Result<EventLoop> loop = EventLoop::create();
  if (!loop) return loop.error();
  TopSession session(options, std::move(*loop), Signals{std::move(*stop), std::move(*resize)});
  if (Status s = session.start(); !s) return s;
  return session.run();
}

}  // namespace podshark::extcap::top
