// SPDX-License-Identifier: GPL-2.0-or-later
// open() asks the worker for an rtnetlink socket and for a packet socket per link, and opens /proc/PID/net.
// Totals come from the kernel's counters, which miss nothing; the packet rings, cut to the headers, only tell
// peers apart. An interval ends at a cut: counters are read, and packets are sorted by their own timestamps
// into the interval before and the one after, so that both speak of the same span although the rings hand
// their blocks over later.
//
// Links are compared with the rings at each cut. `network reload` makes eth0 anew: a link is known by ifindex
// and name.
#include "extcap/top/netns_meter.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <limits>
#include <utility>

#include "podman/core/clock.h"
#include "podman/core/proc.h"
#include "podman/core/text.h"
#include "podman/wire/ring.h"

namespace podshark::extcap::top {
namespace {

constexpr std::size_t kMaxPeers = 4096;           // per namespace and interval
constexpr std::size_t kMaxProcFile = 32U << 20U;  // about 200 000 sockets
constexpr std::uint32_t kBlockSize = 1U << 16U;   // holds the cut head of any packet
constexpr std::size_t kMaxLinks = 64;             // with rings; all are counted
constexpr std::size_t kPacketsPerTurn = 65536;    // one busy link must not starve the others
constexpr std::size_t kPacketsAtEnd = 1U << 20U;  // of an interval: more than a ring holds
// The moment of a reading is known only as well as it was quick: interrupted by other work it is done again.
constexpr std::int64_t kExactNs = 500'000;
constexpr int kReadings = 3;
constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

// Packets as they are, cut to their headers by the kernel: `ret #96`.
constexpr sock_filter kCut{BPF_RET | BPF_K, 0, 0, kFlowSnaplen};

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  (void)!::getrandom(&seed, sizeof(seed), GRND_NONBLOCK);
  return seed;
}

std::uint8_t protocol_number(const std::string& protocol) {
  return protocol == "udp" ? IPPROTO_UDP : protocol == "sctp" ? IPPROTO_SCTP : IPPROTO_TCP;
}

// The line of TCP's numbers. While it stays the same no segment has passed, so no connection has come or
// gone. Worth knowing, because for /proc/PID/net/tcp the kernel walks the socket table of all namespaces, a
// millisecond each time.
std::string tcp_numbers(const std::string& snmp) {
  const std::size_t at = snmp.rfind("\nTcp:");
  return at == std::string::npos ? std::string() : snmp.substr(at, snmp.find('\n', at + 1) - at);
}

Error gone(const model::Container& c) {
  return {ErrorKind::gone, "container " + in_quotes(c.name) + " has stopped or restarted meanwhile",
          "select it again"};
}

}  // namespace

struct NetnsMeter::LinkRing {
  int ifindex = 0;
  std::string name;
  wire::Ring ring;
  bool open = false;  ///< false: it could not be had; not tried again

  LinkRing() = default;
  LinkRing(const LinkRing&) = delete;
  LinkRing& operator=(const LinkRing&) = delete;
  ~LinkRing() { wire::close_ring(&ring); }
};

NetnsMeter::NetnsMeter(Target target, const Options& options, WorkerClient& worker, EventLoop& loop,
                       std::function<void()> on_end)
    : target_(std::move(target)),
      options_(options),
      worker_(worker),
      loop_(loop),
      on_end_(std::move(on_end)),
      cut_ns_(kNever),
      current_(kMaxPeers, random_seed()),
      next_(kMaxPeers, random_seed()) {}

NetnsMeter::~NetnsMeter() {
  for (const auto& r : rings_) {
    if (r->open) loop_.remove(r->ring.fd);
  }
  if (pidfd_) loop_.remove(pidfd_.get());
}

Result<std::unique_ptr<NetnsMeter>> NetnsMeter::open(const Target& target, const Options& options,
                                                     WorkerClient& worker, EventLoop& loop,
                                                     std::function<void()> on_end) {
  std::unique_ptr<NetnsMeter> meter(new NetnsMeter(target, options, worker, loop, std::move(on_end)));
  if (const Status s = meter->start(); !s) return s.error();
  return meter;
}

Status NetnsMeter::start() {
  const model::Container& c = target_.container;
  // Opened first, then the start time proves whose they are.
  pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, c.pid, 0)));
  const std::string directory = "/proc/" + std::to_string(c.pid) + "/net";
  proc_net_.reset(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const Result<ProcStat> stat = read_stat(c.pid);
  if (!pidfd_ || !stat || stat->start_time != c.pid_start || stat->state == 'Z') return gone(c);
  Result<NetnsSockets> sockets = worker_.open(NetnsPlace::of(c), {.netlink = 1, .raw = 0, .cooked = 0});
  if (!sockets) return sockets.error();
  netlink_ = std::move(sockets->netlink.at(0));
  netns_inode_ = sockets->netns_inode;
  Result<Reading> first = read();
  if (!first) return first.wrap("container " + in_quotes(c.name));
  if (options_.peers) {
    follow_links(first->links);
    first = read();  // again, now that the rings see everything
    if (!first) return first.wrap("container " + in_quotes(c.name));
  }
  before_ = std::move(*first);
  after_ = before_;
  begin_ns_ = read_ns_;
  loop_.add(pidfd_.get(), EPOLLIN, [this](std::uint32_t) { on_process_ended(); });
  return ok();
}

std::string NetnsMeter::proc_file(const char* name) const {
  return "/proc/self/fd/" + std::to_string(proc_net_.get()) + "/" + name;
}

void NetnsMeter::read_sockets(Reading& reading) {
  const Result<std::string> snmp = read_file(proc_file("snmp"), kMaxProcFile);
  if (!snmp) return;
  kernel::ProtocolCounters counters;
  kernel::add_snmp(*snmp, counters);
  if (const auto text = read_file(proc_file("netstat"), kMaxProcFile)) kernel::add_snmp(*text, counters);
  if (const auto text = read_file(proc_file("snmp6"), kMaxProcFile)) kernel::add_snmp6(*text, counters);
  reading.protocols = counters;
  std::string tcp = tcp_numbers(*snmp);
  if (tcp.empty() || tcp != tcp_seen_) {
    tcp_seen_ = std::move(tcp);
    connections_ = read_tcp_table();
  }
  reading.connections = connections_;
}

std::optional<std::uint64_t> NetnsMeter::read_tcp_table() {
  std::vector<kernel::TcpSocket> sockets;
  const Result<std::string> v4 = read_file(proc_file("tcp"), kMaxProcFile);
  if (!v4) return std::nullopt;
  kernel::add_tcp_sockets(*v4, sockets);
  const Result<std::string> v6 = read_file(proc_file("tcp6"), kMaxProcFile);
  if (v6) kernel::add_tcp_sockets(*v6, sockets);  // not there without IPv6
  ports_.set_tcp(kernel::listening_ports(sockets));
  return kernel::count_connections(sockets);
}

Result<Reading> NetnsMeter::read() {
  Reading reading;
  for (int attempt = 0; attempt < kReadings; ++attempt) {
    const std::int64_t before = monotonic_ns();
    Result<std::vector<kernel::LinkCounters>> links = kernel::link_counters(netlink_.get());
    if (!links) return links.error();
    reading.monotonic_ns = monotonic_ns();
    read_ns_ = static_cast<std::uint64_t>(now_ns());
    reading.links = std::move(*links);
    if (reading.monotonic_ns - before < kExactNs) break;
  }
  read_sockets(reading);
  return reading;
}

void NetnsMeter::follow_links(const std::vector<kernel::LinkCounters>& links) {
  const auto same = [](const LinkRing& r, const kernel::LinkCounters& l) {
    return r.ifindex == l.ifindex && r.name == l.name;
  };
  std::erase_if(rings_, [&](const std::unique_ptr<LinkRing>& r) {
    const bool there = std::any_of(links.begin(), links.end(), [&](const auto& l) { return same(*r, l); });
    if (!there) close_ring(*r);
    return !there;
  });
  std::vector<const kernel::LinkCounters*> wanted;
  SocketCounts counts;
  for (const kernel::LinkCounters& l : links) {
    const bool known = std::any_of(rings_.begin(), rings_.end(), [&](const auto& r) { return same(*r, l); });
    if (known || rings_.size() + wanted.size() == kMaxLinks) continue;
    wanted.push_back(&l);
    ++(wire::encoding_for(l.arphrd).raw ? counts.raw : counts.cooked);
  }
  if (wanted.empty()) return;
  Result<NetnsSockets> sockets = worker_.open(NetnsPlace::of(target_.container), counts);
  // Its counters are shown all the same. If it has ended the pidfd tells.
  if (!sockets && sockets.error().kind != ErrorKind::gone) problem_ = sockets.error().line();
  if (!sockets || sockets->netns_inode != netns_inode_) return;
  for (const kernel::LinkCounters* l : wanted) {
    auto& pool = wire::encoding_for(l->arphrd).raw ? sockets->raw : sockets->cooked;
    UniqueFd socket = std::move(pool.back());
    pool.pop_back();
    attach(*l, std::move(socket));
  }
}

void NetnsMeter::attach(const kernel::LinkCounters& link, UniqueFd socket) {
  auto r = std::make_unique<LinkRing>();
  r->ifindex = link.ifindex;
  r->name = link.name;
  wire::RingOptions o;
  o.block_size = kBlockSize;
  o.block_count = static_cast<std::uint32_t>(std::max<std::size_t>(options_.ring_bytes / kBlockSize, 2));
  o.retire_ms = kRetireMs;
  o.snaplen = kFlowSnaplen;
  o.promiscuous = false;
  o.loopback = link.loopback();
  o.filter = &kCut;
  o.filter_length = 1;
  const char* step = "";
  const wire::LinkEncoding encoding = wire::encoding_for(link.arphrd);
  const int error = wire::open_ring(&r->ring, socket.release(), link.ifindex, encoding, &o, &step);
  if (error == -ENODEV || error == -ENXIO) return;  // it has vanished again
  LinkRing* ring = r.get();
  rings_.push_back(std::move(r));
  if (error != 0) {
    problem_ = os_error(-error, "peers on " + in_quotes(link.name) + " of " + in_quotes(target_.value) +
                                    " are not shown: " + step)
                   .line();
    return;
  }
  ring->open = true;
  loop_.add(ring->ring.fd, EPOLLIN, [this, ring](std::uint32_t events) {
    if ((events & EPOLLERR) != 0) wire::clear_error(&ring->ring);
    take_packets(*ring, kPacketsPerTurn);
  });
}

void NetnsMeter::take_packets(LinkRing& r, std::size_t most) {
  if (!r.open) return;
  wire::Packet packet;
  while (most-- > 0 && wire::next_packet(&r.ring, &packet)) {
    if (packet.time_ns < begin_ns_) continue;
    if (packet.direction == PACKET_OTHERHOST) continue;  // only there because somebody else is promiscuous
    const bool sent = packet.direction == PACKET_OUTGOING;
    const PacketFlow flow = read_flow(r.ring.encoding.linktype, packet.data, packet.captured);
    if (flow.accepts && (sent || r.ring.options.loopback)) ports_.learn_tcp(flow.source_port);
    const Placed placed = place(flow, sent, r.ring.options.loopback, ports_);
    (packet.time_ns > cut_ns_ ? next_ : current_).add(placed, packet.length);
  }
}

void NetnsMeter::close_ring(LinkRing& r) {
  take_packets(r, kPacketsAtEnd);
  wire::update_counters(&r.ring);
  unseen_ += std::exchange(r.ring.dropped, 0);
  if (r.open) loop_.remove(r.ring.fd);
}

void NetnsMeter::publish(const std::vector<model::PortMapping>& ports) {
  for (const model::PortMapping& p : ports) {
    for (unsigned i = 0; i < p.range && p.container_port + i <= 65535; ++i) {
      ports_.publish(protocol_number(p.protocol), static_cast<std::uint16_t>(p.container_port + i));
    }
  }
}

void NetnsMeter::cut() {
  if (ended_) return;  // the last numbers are those of its end
  Result<Reading> now = read();
  if (!now) return;  // the interval goes on
  after_ = std::move(*now);
  cut_ns_ = read_ns_;
  if (options_.peers) follow_links(after_.links);
}

Measured NetnsMeter::take() {
  for (const auto& r : rings_) {
    take_packets(*r, kPacketsAtEnd);
    wire::update_counters(&r->ring);
    unseen_ += std::exchange(r->ring.dropped, 0);
  }
  Measured m{target_, before_, after_, current_.take(), std::exchange(unseen_, 0), ended_, problem_};
  before_ = after_;
  std::swap(current_, next_);
  cut_ns_ = kNever;
  return m;
}

void NetnsMeter::on_process_ended() {
  loop_.remove(pidfd_.get());
  cut();  // the links live until podman takes them down, a moment later
  ended_ = true;
  on_end_();
}

}  // namespace podshark::extcap::top
