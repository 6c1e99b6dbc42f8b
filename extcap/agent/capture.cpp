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
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <utility>

#include "extcap/agent/clocks.h"
#include "extcap/agent/links.h"
#include "extcap/agent/opener.h"
#include "extcap/agent/output.h"
#include "extcap/agent/say.h"
#include "extcap/worker/privilege.h"
#include "extcap/worker/seccomp.h"
#include "podman/wire/ring.h"

namespace podshark::agent {
namespace {

constexpr std::size_t kMaxRings = 1024;  // of all targets
constexpr std::size_t kQueueLimit = std::size_t{8} << 20U;
constexpr std::size_t kBatch = std::size_t{256} << 10U;
constexpr std::uint32_t kLargeBlock = 1U << 18U;
constexpr std::uint32_t kSmallBlock = 1U << 17U;  // still holds a 64 KiB GSO packet
constexpr std::uint64_t kMostRing = std::uint64_t{4} << 20U;
constexpr std::uint64_t kRingBudget = std::uint64_t{128} << 20U;  // kernel memory of all rings
constexpr std::uint32_t kRetireMs = 20;
constexpr int kLastBlocksMs = 2 * static_cast<int>(kRetireMs) + 5;
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

struct LinkRing {
  wire::Ring ring;
  std::size_t target = 0;
  char name[IFNAMSIZ] = {};
  std::uint32_t id = 0;
  std::uint64_t start_ns = 0;
  bool open = false;
};

class Session {
 public:
  explicit Session(const CaptureArguments& arguments) : arguments_(arguments) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    for (std::size_t i = 0; i < ring_count_; ++i) wire::close_ring(&rings_[i].ring);
    free(rings_);
    free(polled_);
  }

  [[nodiscard]] ExitCode run();

 private:
  [[nodiscard]] ExitCode begin();
  [[nodiscard]] Failure open_target(std::size_t index);
  [[nodiscard]] ExitCode check_link_names();
  [[nodiscard]] Failure attach_links(std::size_t index);
  [[nodiscard]] Failure attach_some(std::size_t index, const Link* const* links, std::size_t count);
  [[nodiscard]] Failure attach(std::size_t index, const Link& link, wire::LinkEncoding encoding,
                               UniqueFd socket);
  [[nodiscard]] Failure open_ring(LinkRing* slot, const Link& link, wire::LinkEncoding encoding,
                                  UniqueFd socket, std::size_t index);
  void declare(LinkRing* slot, const Link& link);
  [[nodiscard]] bool wanted(const char* name) const;
  [[nodiscard]] LinkRing* find(std::size_t target, const Link& link);
  [[nodiscard]] LinkRing* free_slot();
  void tell(std::size_t target, const Failure& failure);

  void wait(int timeout_ms);
  void take_beats();
  void after_poll();
  void on_links_changed(std::size_t index);
  struct Limits {
    std::size_t packets = SIZE_MAX;
    std::size_t backlog = SIZE_MAX;  // bytes
    std::uint64_t until_ns = UINT64_MAX;
  };
  void take_packets(LinkRing* r, Limits limits);
  void put_statistics(LinkRing* r, std::uint64_t now_ns);
  void close_ring(LinkRing* r);
  void close_target(std::size_t index);
  void on_tick();
  void end(ExitCode code);
  void finish();
  [[nodiscard]] int timeout() const;
  [[nodiscard]] std::size_t first_ring() const;
  [[nodiscard]] std::uint64_t ring_bytes() const;

  const CaptureArguments& arguments_;
  Output output_;
  Target targets_[kMaxTargets];
  LinkList list_;  // of the target that is looked at
  LinkRing* rings_ = nullptr;
  std::size_t ring_count_ = 0;  // slots that were ever used
  pollfd* polled_ = nullptr;
  std::size_t polled_rings_ = 0;
  std::uint32_t next_id_ = 0;
  UniqueFd signals_;
  std::uint64_t lease_end_ms_ = 0;
  std::uint64_t next_tick_ms_ = 0;
  bool full_ = false;  // the queue: rings are not read
  bool ended_ = false;
  ExitCode code_ = kDone;
};

// Where what is polled stands in polled_: three of our own, two of each target, then the rings.
enum : std::size_t { kSignals, kStdin, kStdout, kTargets };

std::size_t Session::first_ring() const {
  return kTargets + 2 * arguments_.target_count;
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

bool Session::wanted(const char* name) const {
  for (std::size_t i = 0; i < arguments_.link_count; ++i) {
    const wire::Text& text = arguments_.links[i];
    if (strlen(name) == text.size && memcmp(name, text.data, text.size) == 0) return true;
  }
  return arguments_.link_count == 0;
}

Failure Session::open_target(std::size_t index) {
  Target& t = targets_[index];
  t.pid = arguments_.targets[index];
  if (const Failure f = t.opener.start(t.pid); f.step != nullptr) return f;
  Sockets sockets;
  if (const Failure f = t.opener.open({.netlink = 2}, &sockets); f.step != nullptr) return f;
  t.queries.reset(sockets.fds[0].release());
  t.changes.reset(sockets.fds[1].release());
  if (const int error = subscribe_links(t.changes.get()); error != 0)
    return {"subscribe to changes of links", -error, kInternal};
  t.open = true;
  return {};
}

// A name that is in none of the targets is a mistake; in some of them it is a choice.
ExitCode Session::check_link_names() {
  bool found[kMaxLinkNames] = {};
  Line present;
  for (std::size_t t = 0; t < arguments_.target_count; ++t) {
    if (!targets_[t].open || list_links(targets_[t].queries.get(), &list_) != 0) continue;
    for (std::size_t l = 0; l < list_.count; ++l) {
      const char* name = list_.links[l].name;
      present.add(l == 0 && t == 0 ? "" : " ");
      for (const char* c = name; *c != '\0'; ++c) {
        const char shown = printable(*c);
        present.add(&shown, 1);
      }
      for (std::size_t i = 0; i < arguments_.link_count; ++i) {
        const wire::Text& text = arguments_.links[i];
        found[i] = found[i] || (strlen(name) == text.size && memcmp(name, text.data, text.size) == 0);
      }
    }
  }
  for (std::size_t i = 0; i < arguments_.link_count; ++i) {
    if (found[i]) continue;
    Line what;
    what.add("no link ").add(arguments_.links[i].data, arguments_.links[i].size).add(": there are ");
    say(what.add(present.text().data, present.text().size), nullptr);
    return kNoSuchLink;
  }
  return kDone;
}

LinkRing* Session::find(std::size_t target, const Link& link) {
  for (std::size_t i = 0; i < ring_count_; ++i) {
    LinkRing& r = rings_[i];
    // By both: `podman network reload` makes eth0 anew with another number.
    if (r.open && r.target == target && r.ring.ifindex == link.ifindex && strcmp(r.name, link.name) == 0)
      return &r;
  }
  return nullptr;
}

LinkRing* Session::free_slot() {
  for (std::size_t i = 0; i < ring_count_; ++i) {
    if (!rings_[i].open) return &rings_[i];
  }
  return ring_count_ < kMaxRings ? &rings_[ring_count_++] : nullptr;
}

std::uint64_t Session::ring_bytes() const {
  if (arguments_.ring_kib != 0) return std::uint64_t{arguments_.ring_kib} << 10U;
  const std::uint64_t share = kRingBudget / (2 * arguments_.target_count);  // most have lo and one more
  return share > kMostRing ? kMostRing : share;
}

Failure Session::open_ring(LinkRing* slot, const Link& link, wire::LinkEncoding encoding, UniqueFd socket,
                           std::size_t index) {
  // At least that: the ring would else hold packets whole.
  static constexpr std::uint16_t kReturn = BPF_RET | BPF_K;
  const sock_filter all[] = {{kReturn, 0, 0, arguments_.snaplen}};
  wire::RingOptions options;
  options.retire_ms = kRetireMs;
  options.snaplen = arguments_.snaplen;
  options.promiscuous = arguments_.promiscuous;
  options.loopback = (link.flags & IFF_LOOPBACK) != 0;
  options.filter = all;
  options.filter_length = 1;
  for (std::size_t i = 0; i < arguments_.filter_count; ++i) {
    if (arguments_.filters[i].linktype != encoding.linktype) continue;
    options.filter = arguments_.filters[i].code;
    options.filter_length = arguments_.filters[i].length;
  }
  std::uint64_t bytes = ring_bytes();
  for (;;) {
    options.block_size = bytes >= 8 * std::uint64_t{kLargeBlock} ? kLargeBlock : kSmallBlock;
    options.block_count = static_cast<std::uint32_t>(bytes / options.block_size);
    if (options.block_count < 2) options.block_count = 2;
    const char* step = "";
    const int error = wire::open_ring(&slot->ring, socket.release(), link.ifindex, encoding, &options, &step);
    if (error == 0) return {};
    const bool no_memory = error == -ENOMEM || error == -ENOBUFS;
    if (!no_memory || options.block_count == 2) {
      const bool filter = strcmp(step, "SO_ATTACH_FILTER") == 0;
      const bool unknown = error == -ENOPROTOOPT || error == -EINVAL || error == -EOPNOTSUPP;
      return {step, -error,
              no_memory ? kNoMemory
              : filter  ? kBadFilter
              : unknown ? kNoPacketSockets
                        : kInternal};
    }
    bytes /= 2;  // a smaller one is better than none
    Sockets again;
    const SocketCounts one{.raw = encoding.raw ? 1U : 0U, .cooked = encoding.raw ? 0U : 1U};
    if (const Failure f = targets_[index].opener.open(one, &again); f.step != nullptr) return f;
    socket.reset(again.fds[0].release());
  }
}

void Session::declare(LinkRing* slot, const Link& link) {
  Line name;
  Line description;
  name.add(slot->target).add("/");
  for (const char* c = link.name; *c != '\0'; ++c) {
    const char shown = printable(*c);
    name.add(&shown, 1);
  }
  describe(link, &description);
  wire::InterfaceInfo info{};
  info.linktype = slot->ring.encoding.linktype;
  info.snaplen = arguments_.snaplen;
  info.name = name.text();
  info.description = description.text();
  slot->id = next_id_++;
  if (!wire::put_interface(output_.bytes(), &info)) end(kNoMemory);
}

Failure Session::attach(std::size_t index, const Link& link, wire::LinkEncoding encoding, UniqueFd socket) {
  LinkRing* slot = free_slot();
  if (slot == nullptr) return {"capture on more than 1024 links", E2BIG, kInternal};
  const Failure failed = open_ring(slot, link, encoding, std::move(socket), index);
  if (failed.error == ENODEV || failed.error == ENXIO) return {};  // it has vanished: rtnetlink tells
  if (failed.step != nullptr) return failed;
  slot->target = index;
  memcpy(slot->name, link.name, sizeof(slot->name));
  slot->start_ns = wall_ns();
  slot->open = true;
  declare(slot, link);
  return {};
}

Failure Session::attach_some(std::size_t index, const Link* const* links, std::size_t count) {
  SocketCounts counts;
  for (std::size_t i = 0; i < count; ++i)
    ++(wire::encoding_for(links[i]->type).raw ? counts.raw : counts.cooked);
  Sockets sockets;
  if (const Failure f = targets_[index].opener.open(counts, &sockets); f.step != nullptr) return f;
  std::size_t raw = 0;
  std::size_t cooked = counts.raw;
  for (std::size_t i = 0; i < count; ++i) {
    const wire::LinkEncoding encoding = wire::encoding_for(links[i]->type);
    UniqueFd socket(sockets.fds[encoding.raw ? raw++ : cooked++].release());
    if (const Failure f = attach(index, *links[i], encoding, std::move(socket)); f.step != nullptr) return f;
  }
  return {};
}

// All wanted links of list_ that are not captured yet.
Failure Session::attach_links(std::size_t index) {
  const Link* fresh[kMaxSockets];
  std::size_t count = 0;
  for (std::size_t i = 0; i <= list_.count; ++i) {
    const bool last = i == list_.count;
    if (!last && wanted(list_.links[i].name) && find(index, list_.links[i]) == nullptr)
      fresh[count++] = &list_.links[i];
    if (count == 0 || (!last && count < kMaxSockets)) continue;
    if (const Failure f = attach_some(index, fresh, count); f.step != nullptr) return f;
    count = 0;
  }
  return {};
}

bool put_header(wire::Bytes* out) {
  utsname system;
  Line os;
  if (uname(&system) == 0) os.add(system.sysname).add(" ").add(system.release);
  Line application;
  application.add("podshark-agent " PODSHARK_VERSION);
  return wire::put_section_header(out, os.text(), application.text());
}

ExitCode Session::begin() {
  rings_ = static_cast<LinkRing*>(calloc(kMaxRings, sizeof(LinkRing)));
  polled_ = static_cast<pollfd*>(calloc(kTargets + 2 * kMaxTargets + kMaxRings, sizeof(pollfd)));
  if (rings_ == nullptr || polled_ == nullptr) return kNoMemory;
  if (!put_header(output_.bytes())) return kNoMemory;
  rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
  }
  ExitCode first = kDone;
  bool any = false;
  bool self = false;
  // All children before all rings: none shall hold what is another's.
  for (std::size_t i = 0; i < arguments_.target_count; ++i) {
    const Failure failed = open_target(i);
    self = self || arguments_.targets[i] == kSelf;
    any = any || failed.step == nullptr;
    if (failed.step == nullptr) continue;
    tell(i, failed);
    targets_[i].opener.close();
    if (first == kDone) first = failed.code;
  }
  if (!any) return first;
  // From here on the children do what needs a capability.
  if (self) {
    worker::keep_only(CAP_NET_RAW);
  } else {
    worker::drop_all();
  }
  worker::restrict_to_capturing();
  if (const ExitCode code = check_link_names(); code != kDone) return code;
  for (std::size_t i = 0; i < arguments_.target_count; ++i) {
    if (!targets_[i].open) continue;
    const int error = list_links(targets_[i].queries.get(), &list_);
    const Failure failed = error != 0 ? Failure{"list its links", -error, kInternal} : attach_links(i);
    if (list_.cut) tell(i, {"capture on more than 256 links", E2BIG, kInternal});
    if (failed.step == nullptr) continue;
    tell(i, failed);
    return failed.code;
  }
  return kDone;
}

void Session::take_packets(LinkRing* r, Limits limits) {
  wire::Packet packet;
  while (output_.backlog() < limits.backlog && limits.packets-- > 0 && wire::next_packet(&r->ring, &packet)) {
    if (packet.time_ns > limits.until_ns) {
      --r->ring.received;
      return;
    }
    if (!wire::put_packet(output_.bytes(), r->id, packet.time_ns, packet.data, packet.captured,
                          packet.length))
      return end(kNoMemory);
    if (output_.backlog() >= kBatch && !output_.flush()) return end(kReaderGone);
  }
}

void Session::put_statistics(LinkRing* r, std::uint64_t now_ns) {
  wire::update_counters(&r->ring);
  const wire::InterfaceCounters counters{r->id, r->start_ns, now_ns, r->ring.received + r->ring.dropped,
                                         r->ring.dropped};
  if (!wire::put_statistics(output_.bytes(), &counters)) end(kNoMemory);
}

void Session::close_ring(LinkRing* r) {
  if (!r->open) return;
  take_packets(r, {.until_ns = wall_ns()});
  put_statistics(r, wall_ns());
  wire::close_ring(&r->ring);
  r->open = false;
}

void Session::close_target(std::size_t index) {
  Target& t = targets_[index];
  if (!t.open) return;
  bool pending = false;
  for (std::size_t i = 0; i < ring_count_; ++i) {
    LinkRing& r = rings_[i];
    pending = pending || (r.open && r.target == index && wire::packets_pending(&r.ring));
  }
  if (pending) (void)poll(nullptr, 0, kLastBlocksMs);
  for (std::size_t i = 0; i < ring_count_; ++i) {
    if (rings_[i].target == index) close_ring(&rings_[i]);
  }
  t.opener.close();
  t.queries.reset();
  t.changes.reset();
  t.open = false;
  for (std::size_t i = 0; i < arguments_.target_count; ++i) {
    if (targets_[i].open) return;
  }
  end(kDone);
}

void Session::on_links_changed(std::size_t index) {
  drain_changes(targets_[index].changes.get());
  if (list_links(targets_[index].queries.get(), &list_) != 0) return;
  for (std::size_t i = 0; i < ring_count_; ++i) {
    LinkRing& r = rings_[i];
    bool there = false;
    for (std::size_t l = 0; l < list_.count; ++l) {
      there = there || (list_.links[l].ifindex == r.ring.ifindex && strcmp(list_.links[l].name, r.name) == 0);
    }
    if (r.open && r.target == index && !there) close_ring(&r);
  }
  if (const Failure failed = attach_links(index); failed.step != nullptr) tell(index, failed);
}

void Session::on_tick() {
  next_tick_ms_ = steady_ms() + kStatisticsMs;
  const std::uint64_t now = wall_ns();
  for (std::size_t i = 0; i < ring_count_; ++i) {
    // While nobody reads, figures must not pile up.
    if (rings_[i].open && !full_) put_statistics(&rings_[i], now);
  }
  for (std::size_t i = 0; i < arguments_.target_count; ++i) {
    if (targets_[i].open && targets_[i].opener.gone()) close_target(i);
  }
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
  polled_rings_ = ring_count_;
  for (std::size_t i = 0; i < ring_count_; ++i)
    watch(first_ring() + i, rings_[i].open ? rings_[i].ring.fd : -1, full_ ? 0 : POLLIN);
  const int ready = poll(polled_, first_ring() + ring_count_, timeout_ms);
  if (ready >= 0) return;
  for (std::size_t i = 0; i < first_ring() + ring_count_; ++i) polled_[i].revents = 0;
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

void Session::after_poll() {
  if (polled_[kSignals].revents != 0) end(kDone);
  if (polled_[kStdin].revents != 0) take_beats();
  if ((polled_[kStdout].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) end(kReaderGone);
  for (std::size_t i = 0; i < polled_rings_ && !ended_; ++i) {
    LinkRing& r = rings_[i];
    const short events = polled_[first_ring() + i].revents;
    if (events == 0 || !r.open) continue;
    if ((events & POLLERR) != 0) wire::clear_error(&r.ring);
    if (!full_) take_packets(&r, {.packets = kPacketsPerTurn, .backlog = kQueueLimit});
  }
  for (std::size_t i = 0; i < arguments_.target_count && !ended_; ++i) {
    if (polled_[kTargets + 2 * i + 1].revents != 0) on_links_changed(i);
    if (polled_[kTargets + 2 * i].revents != 0) close_target(i);
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
  (void)poll(nullptr, 0, kLastBlocksMs);
  std::uint64_t give_up = steady_ms() + kFlushMs;
  for (bool rest = true; rest && code_ != kReaderGone;) {
    rest = false;
    for (std::size_t i = 0; i < ring_count_; ++i) {
      if (!rings_[i].open) continue;
      take_packets(&rings_[i], {.backlog = kQueueLimit, .until_ns = until});
      rest = rest || output_.backlog() >= kQueueLimit;
      if (rest) break;
      close_ring(&rings_[i]);
    }
    const std::size_t before = output_.backlog();
    if (!output_.flush()) return;
    rest = rest || output_.backlog() > 0;
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
