// SPDX-License-Identifier: GPL-2.0-or-later
// One thread around poll(2): rings of all links, rtnetlink and the process of each target, stdin (the lease),
// stdout (its reader going), signals. Packets go from the rings into one buffer, which is written after each
// round; while its reader is slow the buffer grows to a limit, then the rings are left alone: they fill, and
// the kernel counts what it has to drop.
#include "extcap/agent/capture.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "extcap/agent/clocks.h"
#include "extcap/agent/links.h"
#include "extcap/agent/opener.h"
#include "extcap/agent/output.h"
#include "extcap/agent/rings.h"
#include "extcap/agent/say.h"
#include "extcap/worker/privilege.h"
#include "extcap/worker/seccomp.h"

namespace podshark::agent {
namespace {

constexpr std::size_t kQueueLimit = std::size_t{8} << 20U;
constexpr std::size_t kPacketsPerTurn = 16384;  // one busy link must not starve the others
constexpr std::uint64_t kStatisticsMs = 1000;
constexpr std::uint64_t kFlushMs = 2000;  // at the end, for a reader that takes nothing

struct Target {
  Opener opener;
  UniqueFd queries;
  UniqueFd changes;
  int pid = 0;
  bool open = false;
};

class Session {
 public:
  explicit Session(const CaptureArguments& arguments) : arguments_(arguments) {}

  [[nodiscard]] ExitCode run();

 private:
  [[nodiscard]] ExitCode begin();
  [[nodiscard]] ExitCode open_targets();
  [[nodiscard]] Failure open_target(std::size_t index);
  [[nodiscard]] ExitCode check_link_names();
  [[nodiscard]] ExitCode attach_links();
  void tell(std::size_t target, const Failure& failure);

  [[nodiscard]] int timeout() const;
  void wait(int timeout_ms);
  void after_poll();
  void take_beats();
  void on_links_changed(std::size_t index);
  void on_process_ended(std::size_t index);
  void on_tick();
  void end(ExitCode code);
  void finish();

  // Where what is polled stands in polled_: three of our own, two of each target, then the rings.
  enum : std::size_t { kSignals, kStdin, kStdout, kTargets };
  [[nodiscard]] std::size_t first_ring() const { return kTargets + 2 * arguments_.target_count; }

  const CaptureArguments& arguments_;
  Output output_;
  Rings rings_{arguments_, output_};
  Target targets_[kMaxTargets];
  LinkList list_;  // of the target that is looked at
  pollfd polled_[kTargets + 2 * kMaxTargets + Rings::kMost];
  std::size_t polled_rings_ = 0;
  UniqueFd signals_;
  std::uint64_t lease_end_ms_ = 0;
  std::uint64_t next_tick_ms_ = 0;
  bool full_ = false;  // the queue: rings are not read
  bool ended_ = false;
  ExitCode code_ = kDone;
};

bool put_header(wire::Bytes* out) {
  utsname system;
  Line os;
  if (uname(&system) == 0) os.add(system.sysname).add(" ").add(system.release);
  Line application;
  application.add("podshark-agent " PODSHARK_VERSION);
  return wire::put_section_header(out, os.text(), application.text());
}

void allow_many_descriptors() {
  rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &files);
}

void Session::end(ExitCode code) {
  if (!ended_) code_ = code;
  ended_ = true;
}

void Session::tell(std::size_t target, const Failure& failure) {
  Line what;
  if (targets_[target].pid == kSelf) {
    what.add("own network namespace: ");
  } else {
    what.add("process ").add(static_cast<std::uint64_t>(targets_[target].pid)).add(": ");
  }
  say(what.add(failure.step), strerror(failure.error));
}

Failure Session::open_target(std::size_t index) {
  Target& t = targets_[index];
  t.pid = arguments_.targets[index];
  if (const Failure f = t.opener.start(t.pid); f.step != nullptr) return f;
  Sockets sockets;
  if (const Failure f = t.opener.open({.netlink = 2, .raw = 0, .cooked = 0}, &sockets); f.step != nullptr)
    return f;
  t.queries.reset(sockets.fds[0].release());
  t.changes.reset(sockets.fds[1].release());
  if (const int error = subscribe_links(t.changes.get()); error != 0)
    return {"subscribe to changes of links", -error, kInternal};
  t.open = true;
  return {};
}

// kDone when there is one at least.
ExitCode Session::open_targets() {
  ExitCode first = kDone;
  bool any = false;
  for (std::size_t i = 0; i < arguments_.target_count; ++i) {
    const Failure failed = open_target(i);
    any = any || failed.step == nullptr;
    if (failed.step == nullptr) continue;
    tell(i, failed);
    targets_[i].opener.close();
    if (first == kDone) first = failed.code;
  }
  return any ? kDone : first;
}

// A name that is in none of the targets is a mistake; in some of them it is a choice.
ExitCode Session::check_link_names() {
  bool found[kMaxLinkNames] = {};
  Line present;
  for (std::size_t t = 0; t < arguments_.target_count; ++t) {
    if (!targets_[t].open || list_links(targets_[t].queries.get(), &list_) != 0) continue;
    for (std::size_t l = 0; l < list_.count; ++l) {
      const char* name = list_.links[l].name;
      present.add(" ").add_printable(name);
      for (std::size_t i = 0; i < arguments_.link_count; ++i) {
        const wire::Text& text = arguments_.links[i];
        found[i] = found[i] || (strlen(name) == text.size && memcmp(name, text.data, text.size) == 0);
      }
    }
  }
  for (std::size_t i = 0; i < arguments_.link_count; ++i) {
    if (found[i]) continue;
    Line what;
    what.add("no link ").add(arguments_.links[i].data, arguments_.links[i].size).add(": there are");
    say(what.add(present.c_str()), nullptr);
    return kNoSuchLink;
  }
  return kDone;
}

ExitCode Session::attach_links() {
  for (std::size_t i = 0; i < arguments_.target_count; ++i) {
    if (!targets_[i].open) continue;
    const int error = list_links(targets_[i].queries.get(), &list_);
    if (list_.cut) tell(i, {"capture on more than 256 links", E2BIG, kInternal});
    const Failure failed = error != 0 ? Failure{"list its links", -error, kInternal}
                                      : rings_.attach(i, targets_[i].opener, list_);
    if (failed.step == nullptr) continue;
    tell(i, failed);
    if (failed.code != kDone) return failed.code;
  }
  return rings_.failed();
}

ExitCode Session::begin() {
  allow_many_descriptors();
  if (!rings_.allocate() || !put_header(output_.bytes())) return kNoMemory;
  // All children before all rings: none shall hold what is another's.
  if (const ExitCode code = open_targets(); code != kDone) return code;
  bool self = false;
  for (std::size_t i = 0; i < arguments_.target_count; ++i) self = self || arguments_.targets[i] == kSelf;
  // From here on the children do what needs a capability.
  if (self) {
    worker::keep_only(CAP_NET_RAW);
  } else {
    worker::drop_all();
  }
  worker::restrict_to_capturing();
  if (const ExitCode code = check_link_names(); code != kDone) return code;
  return attach_links();
}

int Session::timeout() const {
  std::uint64_t next = next_tick_ms_;
  if (arguments_.lease_seconds != 0 && lease_end_ms_ < next) next = lease_end_ms_;
  const std::uint64_t now = steady_ms();
  return next > now ? static_cast<int>(next - now) + 1 : 0;
}

void Session::wait(int timeout_ms) {
  const auto watch = [this](std::size_t at, int fd, short events) { polled_[at] = {fd, events, 0}; };
  watch(kSignals, signals_.get(), POLLIN);
  watch(kStdin, arguments_.lease_seconds != 0 ? STDIN_FILENO : -1, POLLIN);
  watch(kStdout, STDOUT_FILENO, output_.backlog() > 0 ? POLLOUT : 0);
  for (std::size_t i = 0; i < arguments_.target_count; ++i) {
    const Target& t = targets_[i];
    watch(kTargets + 2 * i, t.open ? t.opener.pidfd() : -1, POLLIN);
    watch(kTargets + 2 * i + 1, t.open ? t.changes.get() : -1, POLLIN);
  }
  polled_rings_ = rings_.count();
  for (std::size_t i = 0; i < polled_rings_; ++i) watch(first_ring() + i, rings_.fd(i), full_ ? 0 : POLLIN);
  if (poll(polled_, first_ring() + polled_rings_, timeout_ms) >= 0) return;
  for (std::size_t i = 0; i < first_ring() + polled_rings_; ++i) polled_[i].revents = 0;
}

void Session::take_beats() {
  char bytes[64];
  const ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
  if (n > 0) {
    lease_end_ms_ = steady_ms() + arguments_.lease_seconds * std::uint64_t{1000};
  } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
    end(kDone);
  }
}

void Session::on_links_changed(std::size_t index) {
  drain_changes(targets_[index].changes.get());
  if (list_links(targets_[index].queries.get(), &list_) != 0) return;
  rings_.close_others(index, list_);
  const Failure failed = rings_.attach(index, targets_[index].opener, list_);
  if (failed.step != nullptr) tell(index, failed);
}

void Session::on_process_ended(std::size_t index) {
  Target& t = targets_[index];
  rings_.close_target(index);
  t.opener.close();
  t.queries.reset();
  t.changes.reset();
  t.open = false;
  for (std::size_t i = 0; i < arguments_.target_count; ++i) {
    if (targets_[i].open) return;
  }
  end(kDone);
}

void Session::on_tick() {
  next_tick_ms_ = steady_ms() + kStatisticsMs;
  if (!full_) rings_.put_statistics();  // while nobody reads, figures must not pile up
  for (std::size_t i = 0; i < arguments_.target_count; ++i) {
    if (targets_[i].open && targets_[i].opener.gone()) on_process_ended(i);
  }
}

void Session::after_poll() {
  if (polled_[kSignals].revents != 0) end(kDone);
  if (polled_[kStdin].revents != 0) take_beats();
  if ((polled_[kStdout].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) end(kReaderGone);
  for (std::size_t i = 0; i < polled_rings_ && !ended_; ++i) {
    const short events = polled_[first_ring() + i].revents;
    if (events == 0) continue;
    if ((events & POLLERR) != 0) rings_.clear_error(i);
    if (!full_) rings_.take(i, {.packets = kPacketsPerTurn, .backlog = kQueueLimit});
  }
  for (std::size_t i = 0; i < arguments_.target_count && !ended_; ++i) {
    if (polled_[kTargets + 2 * i + 1].revents != 0) on_links_changed(i);
    if (polled_[kTargets + 2 * i].revents != 0) on_process_ended(i);
  }
  if (ended_) return;
  const std::uint64_t now = steady_ms();
  if (now >= next_tick_ms_) on_tick();
  if (arguments_.lease_seconds != 0 && now >= lease_end_ms_) end(kBeatsMissed);
}

// What is in the rings by now, then the last figures; as long as somebody takes them.
void Session::finish() {
  if (code_ == kReaderGone || code_ == kNoMemory) return;
  const std::uint64_t until = wall_ns();
  (void)poll(nullptr, 0, Rings::kLastBlocksMs);
  std::uint64_t give_up = steady_ms() + kFlushMs;
  for (std::size_t next = 0; next < rings_.count() || output_.backlog() > 0;) {
    for (; next < rings_.count() && output_.backlog() < kQueueLimit; ++next) {
      if (!rings_.is_open(next)) continue;
      rings_.take(next, {.backlog = kQueueLimit, .until_ns = until});
      if (output_.backlog() >= kQueueLimit) break;
      rings_.close(next, {.packets = 0});
    }
    const std::size_t before = output_.backlog();
    if (rings_.failed() != kDone || !output_.flush()) return;
    if (output_.backlog() < before) give_up = steady_ms() + kFlushMs;
    if (steady_ms() >= give_up) return;
    pollfd reader{STDOUT_FILENO, POLLOUT, 0};
    if (output_.backlog() > 0) (void)poll(&reader, 1, 100);
  }
}

ExitCode Session::run() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  (void)sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_.reset(signalfd(-1, &set, SFD_CLOEXEC));
  if (!signals_) return kInternal;
  if (const ExitCode code = begin(); code != kDone) return code;
  lease_end_ms_ = steady_ms() + arguments_.lease_seconds * std::uint64_t{1000};
  next_tick_ms_ = steady_ms() + kStatisticsMs;
  while (!ended_) {
    if (!output_.flush()) end(kReaderGone);
    if (rings_.failed() != kDone) end(rings_.failed());
    full_ = output_.backlog() >= (full_ ? kQueueLimit / 2 : kQueueLimit);
    if (ended_) break;
    wait(timeout());
    after_poll();
  }
  finish();
  return code_;
}

}  // namespace

ExitCode run_capture(const CaptureArguments& arguments) {
  Session session(arguments);
  return session.run();
}

}  // namespace podshark::agent
