// SPDX-License-Identifier: GPL-2.0-or-later
// Life of one namespace: open() asks the worker for two rtnetlink sockets, lists the links through one, asks
// for a packet socket per wanted link, puts a ring on each. Link changes re-read the list: a link is known by
// its ifindex *and* name, since `podman network reload` makes eth0 anew with another ifindex. When the
// container's process ends the rings are read out and closed; packets still in unfinished blocks are handed
// over by the kernel within retire_ms: wait_for_last_blocks().
#include "extcap/capture/netns_capture.h"

#include <poll.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "podman/core/clock.h"
#include "podman/core/proc.h"
#include "podman/core/text.h"
#include "podman/kernel/rtnetlink.h"

namespace podshark::extcap {
namespace {

constexpr std::uint32_t kLargeBlock = 1U << 18U;
constexpr std::uint32_t kSmallBlock = 1U << 17U;  // still holds a 64 KiB GSO packet
constexpr std::uint32_t kRetireMs = 20;
// From a packet's stamp to its place in the ring: microseconds, but a softirq may be interrupted.
constexpr std::uint64_t kInFlightNs = 2'000'000;
constexpr std::size_t kPacketsPerTurn = 16384;  // one busy link must not starve the others

wire::RingOptions ring_options(const LinkOptions& options, const model::Link& link, const Filter& filter) {
  wire::RingOptions out;
  out.block_size = options.ring_bytes >= 8 * std::size_t{kLargeBlock} ? kLargeBlock : kSmallBlock;
  out.block_count = static_cast<std::uint32_t>(std::max<std::size_t>(options.ring_bytes / out.block_size, 2));
  out.retire_ms = kRetireMs;
  out.snaplen = options.snaplen;
  out.promiscuous = options.promiscuous;
  out.loopback = link.loopback();
  out.filter = filter.kernel_program().data();
  out.filter_length = static_cast<std::uint16_t>(filter.kernel_program().size());
  return out;
}

}  // namespace

struct NetnsCapture::LinkRing {
  model::Link link;
  Filter filter;
  wire::Ring ring;
  std::uint32_t id = 0;
  std::uint64_t start_ns = 0;
  bool open = false;

  LinkRing() = default;
  LinkRing(const LinkRing&) = delete;
  LinkRing& operator=(const LinkRing&) = delete;
  ~LinkRing() { wire::close_ring(&ring); }
};

NetnsCapture::NetnsCapture(Target target, LinkOptions options, WorkerClient& worker, EventLoop& loop,
                           Recorder& recorder, SourceHooks hooks)
    : target_(std::move(target)),
      options_(std::move(options)),
      worker_(worker),
      loop_(loop),
      recorder_(recorder),
      hooks_(std::move(hooks)) {}

NetnsCapture::~NetnsCapture() {
  close();
}

Result<std::unique_ptr<NetnsCapture>> NetnsCapture::open(const Target& target, const LinkOptions& options,
                                                         WorkerClient& worker, EventLoop& loop,
                                                         Recorder& recorder, SourceHooks hooks) {
  std::unique_ptr<NetnsCapture> capture(
      new NetnsCapture(target, options, worker, loop, recorder, std::move(hooks)));
  if (const Status s = capture->start(); !s) return s.error();
  return capture;
}

Status NetnsCapture::start() {
  const model::Container& c = target_.container;
  // Before anything else, so that the process cannot be replaced unnoticed; the start time proves who it is.
  pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, c.pid, 0)));
  const Result<ProcStat> stat = read_stat(c.pid);
  if (!pidfd_ || !stat || stat->start_time != c.pid_start || stat->state == 'Z') {
    return Error{ErrorKind::gone, "container " + in_quotes(c.name) + " has stopped or restarted meanwhile",
                 "select it again"};
  }
  Result<NetnsSockets> sockets = worker_.open(c, {.netlink = 2, .raw = 0, .cooked = 0});
  if (!sockets) return sockets.error();
  queries_ = std::move(sockets->netlink.at(0));
  changes_ = std::move(sockets->netlink.at(1));
  netns_inode_ = sockets->netns_inode;
  if (const Status s = kernel::subscribe_links(changes_.get()); !s) return s.error();
  if (const Status s = attach_links(); !s) return s.error();
  started_ = true;
  report("attached", "", "capturing in container " + c.name);
  loop_.add(changes_.get(), EPOLLIN, [this](std::uint32_t) { on_links_changed(); });
  loop_.add(pidfd_.get(), EPOLLIN, [this](std::uint32_t) { on_process_ended(); });
  return ok();
}

Result<std::vector<model::Link>> NetnsCapture::wanted_links() {
  Result<std::vector<model::Link>> links = kernel::list_links(queries_.get());
  if (!links) return links.wrap("container " + in_quotes(target_.container.name));
  std::string present;
  for (const model::Link& l : *links) present += (present.empty() ? "" : ", ") + one_line(l.name, 32);
  for (const std::string& wanted : options_.links) {
    const bool there =
        std::any_of(links->begin(), links->end(), [&](const auto& l) { return l.name == wanted; });
    if (!there && !started_) {
      return Error{ErrorKind::usage,
                   "container " + in_quotes(target_.container.name) + " has no link " + in_quotes(wanted),
                   "it has " + present};
    }
  }
  std::erase_if(*links, [&](const model::Link& l) {
    return !options_.links.empty() &&
           std::find(options_.links.begin(), options_.links.end(), l.name) == options_.links.end();
  });
  return links;
}

Status NetnsCapture::attach_links() {
  Result<std::vector<model::Link>> links = wanted_links();
  if (!links) return links.error();
  std::erase_if(*links, [&](const model::Link& l) {
    return std::any_of(rings_.begin(), rings_.end(), [&](const auto& r) {
      return r->open && r->link.ifindex == l.ifindex && r->link.name == l.name;
    });
  });
  if (links->empty()) return ok();
  SocketCounts counts;
  for (const model::Link& l : *links) ++(wire::encoding_for(l.arphrd).raw ? counts.raw : counts.cooked);
  Result<NetnsSockets> sockets = worker_.open(target_.container, counts);
  if (!sockets) return sockets.error();
  if (sockets->netns_inode != netns_inode_) {
    return Error{ErrorKind::gone,
                 "container " + in_quotes(target_.container.name) + " was restarted meanwhile",
                 "select it again"};
  }
  for (const model::Link& l : *links) {
    const wire::LinkEncoding encoding = wire::encoding_for(l.arphrd);
    auto& pool = encoding.raw ? sockets->raw : sockets->cooked;
    UniqueFd socket = std::move(pool.back());
    pool.pop_back();
    if (const Status s = attach(l, encoding, std::move(socket)); !s) return s.error();
  }
  return ok();
}

Status NetnsCapture::attach(const model::Link& link, wire::LinkEncoding encoding, UniqueFd socket) {
  auto ring = std::make_unique<LinkRing>();
  Result<Filter> filter = Filter::compile(options_.filter, encoding.linktype, options_.snaplen);
  if (!filter) return filter.error();
  ring->filter = std::move(*filter);
  ring->link = link;
  const wire::RingOptions options = ring_options(options_, link, ring->filter);
  const char* step = "";
  const int error = wire::open_ring(&ring->ring, socket.release(), link.ifindex, encoding, &options, &step);
  if (error == -ENODEV || error == -ENXIO) return ok();  // the link has vanished: rtnetlink tells
  if (error != 0) {
    return os_error(-error, "capture on " + in_quotes(link.name) + " of container " +
                                in_quotes(target_.container.name) + ": " + step);
  }
  ring->start_ns = static_cast<std::uint64_t>(now_ns());
  ring->id = recorder_.add_interface(target_, link, encoding.linktype, options_.snaplen, options_.filter,
                                     netns_inode_);
  ring->open = true;
  LinkRing* raw = ring.get();
  loop_.add(ring->ring.fd, paused_ ? 0U : std::uint32_t{EPOLLIN}, [this, raw](std::uint32_t events) {
    if ((events & EPOLLERR) != 0) wire::clear_error(&raw->ring);
    take_packets(*raw, kPacketsPerTurn);
  });
  rings_.push_back(std::move(ring));
  return ok();
}

void NetnsCapture::wait_for_last_blocks() {
  (void)::poll(nullptr, 0, 2 * static_cast<int>(kRetireMs) + 5);
}

void NetnsCapture::take_packets(LinkRing& r, std::size_t most) {
  wire::Packet packet;
  while (most-- > 0 && wire::next_packet(&r.ring, &packet)) {
    if (r.filter.matches(packet.data, packet.captured, packet.length) && !hooks_.packet(r.id, packet)) return;
  }
}

void NetnsCapture::pause(bool paused) {
  paused_ = paused;
  for (const auto& r : rings_) {
    if (r->open) loop_.change(r->ring.fd, paused ? 0U : std::uint32_t{EPOLLIN});
  }
}

void NetnsCapture::close_ring(LinkRing& r) {
  if (!r.open) return;
  wire::update_counters(&r.ring);
  take_packets(r, SIZE_MAX);
  recorder_.statistics({r.id, r.start_ns, static_cast<std::uint64_t>(now_ns()),
                        r.ring.received + r.ring.dropped, r.ring.dropped});
  loop_.remove(r.ring.fd);
  wire::close_ring(&r.ring);
  r.open = false;
}

void NetnsCapture::close() {
  for (const auto& r : rings_) close_ring(*r);
  if (changes_) loop_.remove(changes_.get());
  if (pidfd_) loop_.remove(pidfd_.get());
  changes_.reset();
  queries_.reset();
  pidfd_.reset();
}

void NetnsCapture::on_links_changed() {
  if (!kernel::drain_changes(changes_.get())) return;
  const Result<std::vector<model::Link>> links = kernel::list_links(queries_.get());
  if (!links) return;
  for (const auto& r : rings_) {
    const bool there = std::any_of(links->begin(), links->end(), [&](const model::Link& l) {
      return l.ifindex == r->link.ifindex && l.name == r->link.name;
    });
    if (r->open && !there) {
      close_ring(*r);
      report("link-removed", r->link.name,
             "link " + r->link.name + " of " + target_.container.name + " is gone");
    }
  }
  const std::size_t before = rings_.size();
  if (const Status s = attach_links(); !s) report("link-failed", "", s.error().line());
  for (std::size_t i = before; i < rings_.size(); ++i) {
    const std::string& name = rings_[i]->link.name;
    report("link-added", name, "capturing on new link " + name + " of " + target_.container.name);
  }
  hooks_.changed();
}

void NetnsCapture::on_process_ended() {
  ended_ = true;
  wait_for_last_blocks();
  close();
  report("exited", "", "container " + target_.container.name + " has stopped");
  hooks_.changed();
}

void NetnsCapture::add_statistics(annotate::Event& event) {
  for (const auto& r : rings_) {
    wire::update_counters(&r->ring);
    event.links.push_back({target_.container.name, r->link.name, r->ring.received, r->ring.dropped});
  }
}

std::uint64_t NetnsCapture::complete_until(std::uint64_t now_ns) const {
  std::uint64_t until = now_ns - kInFlightNs;
  for (const auto& r : rings_) {
    if (!r->open || !wire::packets_pending(&r->ring)) continue;
    until = std::min(until, std::max(r->ring.last_ns, r->start_ns));
  }
  return until;
}

void NetnsCapture::report(const std::string& what, const std::string& link, const std::string& detail) {
  annotate::Event event;
  event.kind = "lifecycle";
  event.time_ns = now_ns();
  event.what = what;
  event.container_id = target_.container.id;
  event.container = target_.container.name;
  event.link = link;
  event.detail = one_line(detail, 400);
  recorder_.event(event);
}

}  // namespace podshark::extcap
