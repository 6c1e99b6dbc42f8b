// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel tells nobody of new sockets, and reading their tables walks those of all namespaces. So a look
// is taken when a captured packet opens a connection: its ring hands it over within 40 ms, the tables still
// have short connections then as those that wait for their end. Looks come at most every 50 ms and take a
// tenth of the time at most.
#include "extcap/capture/forward_watch.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "extcap/probe/look.h"
#include "podman/core/clock.h"
#include "podman/core/proc.h"
#include "podman/discover/proc_sockets.h"

namespace podshark::extcap {
namespace {

using namespace std::chrono_literals;

constexpr auto kPause = 50ms;
constexpr auto kLongestPause = 1s;
constexpr auto kAgain = 100ms;
constexpr int kShare = 10;  // a look of 5 ms is followed by 50 ms without

std::chrono::nanoseconds processor_time() {
  timespec t{};
  (void)::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

std::vector<Forwarder> forwarders() {
  std::vector<Forwarder> out;
  for (const pid_t pid : list_pids()) {
    const Result<ProcStat> stat = read_stat(pid);
    if (!stat || forwarder_name(stat->comm).empty()) continue;
    out.push_back({pid, stat->comm, discover::sockets_of(pid)});
  }
  return out;
}

std::vector<kernel::TcpSocket> tcp_sockets(const std::string& proc) {
  return probing::read_table(proc, /* udp= */ false).sockets;
}

// A pod's ports and kind are those of the container that made the namespace.
model::Container with_ports(const model::Container& mine, const model::Inventory& inventory) {
  model::Container out = mine;
  for (const model::Container& c : inventory.containers) {
    const bool maker = c.alive() && c.netns != 0 && c.netns == mine.netns && !c.ports.empty();
    if (c.id != mine.id && !maker) continue;
    if (!c.ports.empty()) out.ports = c.ports;
    if (c.kind != model::NetworkKind::shared && c.kind != model::NetworkKind::unknown) out.kind = c.kind;
  }
  return out;
}

}  // namespace

bool opens_connection(const wire::Packet& p) {
  constexpr std::size_t kEthernet = 14;
  constexpr std::size_t kFlags = 13;
  constexpr std::uint8_t kSyn = 0x02;
  constexpr std::uint8_t kAck = 0x10;
  constexpr std::uint8_t kTcp = 6;
  if (p.captured < kEthernet + 20) return false;
  const unsigned type = unsigned{p.data[12]} << 8U | p.data[13];
  const std::uint8_t* ip = p.data + kEthernet;
  std::size_t header = 0;
  if (type == 0x0800 && ip[9] == kTcp) header = std::size_t{ip[0] & 0x0FU} * 4;
  if (type == 0x86DD && ip[6] == kTcp) header = 40;
  if (header == 0 || p.captured <= kEthernet + header + kFlags) return false;
  return (ip[header + kFlags] & (kSyn | kAck)) == kSyn;
}

ForwardWatch::ForwardWatch(EventLoop& loop, Record record) : loop_(loop), record_(std::move(record)) {
  if (Result<UniqueFd> timer = make_timer(0ms)) timer_ = std::move(*timer);
  loop_.add(timer_.get(), EPOLLIN, [this](std::uint32_t) {
    acknowledge(timer_.get());
    armed_ = false;
    look();
  });
}

ForwardWatch::~ForwardWatch() {
  loop_.remove(timer_.get());
}

void ForwardWatch::captured(const std::vector<std::unique_ptr<Source>>& sources,
                            const model::Inventory& inventory) {
  std::map<std::string, Watched> now;
  for (const auto& s : sources) {
    const Target& t = s->target();
    if (s->ended() || t.container.id.empty() || t.point != Point::inside) continue;
    const model::Container c = with_ports(t.container, inventory);
    if (!forwarded(c)) continue;
    Watched& w = now[c.id];
    const auto before = watched_.find(c.id);
    if (before != watched_.end() && before->second.container.pid == c.pid) w = std::move(before->second);
    w.container = c;
  }
  watched_ = std::move(now);
  const bool news =
      std::any_of(watched_.begin(), watched_.end(), [](const auto& w) { return !w.second.looked; });
  if (news) arm(1ms);
}

void ForwardWatch::repeat(const Record& record) {
  for (const auto& [id, w] : watched_) {
    for (annotate::Event& event : w.matcher.open_ones()) {
      event.time_ns = now_ns();
      record(std::move(event));
    }
  }
}

void ForwardWatch::on_connection(std::uint64_t time_ns) {
  if (first_ns_ == 0) first_ns_ = static_cast<std::int64_t>(time_ns);
  again_ = ForwardMatcher::kLooks - 1;
  arm(1ms);
}

void ForwardWatch::arm(std::chrono::milliseconds delay) {
  if (armed_) return;
  armed_ = true;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(not_before_ - Clock::now());
  arm_once(timer_.get(), std::max(delay, wait));
}

void ForwardWatch::look() {
  if (watched_.empty()) return;
  const std::chrono::nanoseconds began = processor_time();
  const std::vector<kernel::TcpSocket> host = tcp_sockets("/proc/self");
  const std::vector<Forwarder> programs = forwarders();
  for (auto& [id, w] : watched_) look_at(w, host, programs);
  first_ns_ = 0;
  const std::chrono::nanoseconds took = processor_time() - began;  // not what a busy machine kept us waiting
  not_before_ = Clock::now() + std::clamp<Clock::duration>(took * kShare, kPause, kLongestPause);
  const bool unsure =
      std::any_of(watched_.begin(), watched_.end(), [](const auto& w) { return w.second.matcher.unsure(); });
  if (unsure && again_-- > 0) arm(kAgain);
}

void ForwardWatch::look_at(Watched& w, const std::vector<kernel::TcpSocket>& host,
                           const std::vector<Forwarder>& programs) {
  const std::vector<kernel::TcpSocket> inside = tcp_sockets("/proc/" + std::to_string(w.container.pid));
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch());
  for (annotate::Event& event : w.matcher.look(w.container, {host, inside, programs}, now.count())) {
    event.time_ns = first_ns_ != 0 && event.what == "started" ? first_ns_ : now_ns();
    record_(std::move(event));
  }
  w.looked = true;
}

}  // namespace podshark::extcap
