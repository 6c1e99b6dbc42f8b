// SPDX-License-Identifier: GPL-2.0-or-later
// Life of one namespace: start() asks the worker for two rtnetlink sockets, lists the links through one, asks
// for a packet socket per wanted link, puts a ring on each. Link changes re-read the list: a link is known by
// its ifindex *and* name, since `podman network reload` makes eth0 anew with another ifindex. When the
// container's process ends the rings are read out and closed, as soon as the kernel has handed over what is
// in them.
//
// A namespace that nobody knows yet (open_unknown) has rings too, unread: a container's first packets are in
// them when podman has told whose it is.
#include "extcap/capture/netns_capture.h"

#include <linux/if_packet.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "extcap/capture/first_process.h"
#include "podman/core/clock.h"
#include "podman/core/text.h"
#include "podman/kernel/link_counters.h"
#include "podman/kernel/rtnetlink.h"

namespace podshark::extcap {
namespace {

// From a packet's stamp to its place in the ring: microseconds, but a softirq may be interrupted.
constexpr std::uint64_t kInFlightNs = 2'000'000;
// Packets of an unknown namespace hold others back, for order, no longer than this.
constexpr std::uint64_t kUnknownHoldNs = 500'000'000;
constexpr std::size_t kPacketsPerTurn = 16384;  // one busy link must not starve the others

wire::RingOptions ring_options(const LinkOptions& options, std::size_t bytes, const model::Link& link,
                               const Filter& filter) {
  wire::RingOptions out;
  out.block_size = ring_block(bytes);
  out.block_count = static_cast<std::uint32_t>(bytes / out.block_size);
  out.retire_ms = options.pace.retire_ms;
  out.snaplen = options.snaplen;
  out.promiscuous = options.promiscuous;
  out.loopback = link.loopback();
  out.filter = filter.kernel_program().data();
  out.filter_length = static_cast<std::uint16_t>(filter.kernel_program().size());
  return out;
}

int last_blocks_ms(const LinkOptions& options) {
  return 2 * static_cast<int>(options.pace.retire_ms) + 5;
}

std::string milliseconds(std::uint64_t ns) {
  return std::to_string(ns / 1'000'000) + "." + std::to_string(ns / 100'000 % 10) + " ms";
}

}  // namespace

struct NetnsCapture::LinkRing {
  model::Link link;
  std::string name;
  std::string filter_text;
  Filter filter;
  wire::Ring ring;
  std::uint32_t id = 0;
  std::uint64_t mac = 0;
  std::uint64_t start_ns = 0;
  std::uint64_t end_ns = 0;  // 0: its link and its container are there
  std::uint64_t queue_dropped = 0;
  std::uint64_t dropped_at_pause = 0;
  bool open = false;
  bool declared = false;
  RingBudget::Share memory;
  annotate::Event::LinkStats before;  // links of the same name that have gone

  LinkRing() = default;
  LinkRing(const LinkRing&) = delete;
  LinkRing& operator=(const LinkRing&) = delete;
  ~LinkRing() { wire::close_ring(&ring); }
};

NetnsCapture::NetnsCapture(CapturePlan plan, CaptureContext context, SourceHooks hooks, bool known)
    : plan_(std::move(plan)), context_(std::move(context)), hooks_(std::move(hooks)), known_(known) {}

NetnsCapture::~NetnsCapture() {
  close();
}

Result<std::unique_ptr<NetnsCapture>> NetnsCapture::open(CapturePlan plan, CaptureContext context,
                                                         SourceHooks hooks) {
  std::unique_ptr<NetnsCapture> capture(
      new NetnsCapture(std::move(plan), std::move(context), std::move(hooks), /* known= */ true));
  if (const Status s = capture->start(); !s) return s.error();
  return capture;
}

Result<std::unique_ptr<NetnsCapture>> NetnsCapture::open_unknown(NetnsPlace place, CaptureContext context,
                                                                 SourceHooks hooks) {
  CapturePlan plan;
  plan.place = std::move(place);
  plan.watch_process = false;
  plan.choose = choose_by_name(context.options.links, {}, /* strict= */ false);
  std::unique_ptr<NetnsCapture> capture(
      new NetnsCapture(std::move(plan), std::move(context), std::move(hooks), /* known= */ false));
  if (const Status s = capture->start(); !s) return s.error();
  return capture;
}

void NetnsCapture::identify(CapturePlan plan) {
  plan_ = std::move(plan);
  known_ = true;
  const bool alive = static_cast<bool>(watch_process());
  if (pidfd_) context_.loop.add(pidfd_.get(), EPOLLIN, [this](std::uint32_t) { on_process_ended(); });
  report("lifecycle", "attached", "",
         "capturing in container " + plan_.target.container.name + " since its namespace was made");
  for (const auto& r : rings_) begin_reading(*r);
  if (alive) {
    on_links_changed();
  } else {
    on_process_ended();  // it was quicker than podman: what it sent is in the rings
  }
}

// Before the namespace is opened, so that the process cannot be replaced unnoticed.
Status NetnsCapture::watch_process() {
  if (!plan_.watch_process) return ok();
  Result<UniqueFd> process = open_first_process(plan_.target.container);
  if (!process) return process.error();
  pidfd_ = std::move(*process);
  return ok();
}

Status NetnsCapture::start() {
  if (const Status s = watch_process(); !s) return s.error();
  Result<NetnsSockets> sockets = context_.worker.open(plan_.place, {.netlink = 2, .raw = 0, .cooked = 0});
  if (!sockets) return sockets.error();
  queries_ = std::move(sockets->netlink.at(0));
  changes_ = std::move(sockets->netlink.at(1));
  netns_inode_ = sockets->netns_inode;
  opened_ns_ = static_cast<std::uint64_t>(now_ns());
  if (const Status s = kernel::subscribe_links(changes_.get()); !s) return s.error();
  before_ = carried();
  if (const Status s = attach_links(); !s) return s.error();
  if (known_)
    report("lifecycle", "attached", "",
           (plan_.target.point == Point::inside ? "capturing in " : "capturing on ") + what(plan_.target));
  context_.loop.add(changes_.get(), EPOLLIN, [this](std::uint32_t) { on_links_changed(); });
  if (pidfd_) context_.loop.add(pidfd_.get(), EPOLLIN, [this](std::uint32_t) { on_process_ended(); });
  return ok();
}

Result<std::vector<ChosenLink>> NetnsCapture::wanted_links() {
  Result<std::vector<model::Link>> links = kernel::list_links(queries_.get());
  if (!links) return links.wrap(plan_.place.who());
  return plan_.choose(queries_.get(), std::move(*links));
}

Status NetnsCapture::attach_links() {
  Result<std::vector<ChosenLink>> links = wanted_links();
  if (!links) return links.error();
  std::erase_if(*links, [&](const ChosenLink& l) {
    return std::any_of(rings_.begin(), rings_.end(), [&](const auto& r) {
      return r->open && r->end_ns == 0 && r->link.ifindex == l.link.ifindex && r->link.name == l.link.name;
    });
  });
  const std::size_t wanted = links->size();
  const RingBudget::Wish wish = wish_for(wanted);
  links->resize(context_.rings->rings(wish));
  if (links->size() < wanted) {
    if (const Status s = leave_out(wanted - links->size()); !s) return s.error();
  }
  const std::size_t bytes = context_.rings->size(wish);
  for (std::span<const ChosenLink> rest = *links; !rest.empty();) {
    const std::size_t some = std::min<std::size_t>(rest.size(), worker::kMaxSockets);
    if (const Status s = attach_some(rest.first(some), bytes); !s) return s.error();
    rest = rest.subspan(some);
  }
  return ok();
}

// What the worker gives in one answer.
Status NetnsCapture::attach_some(std::span<const ChosenLink> links, std::size_t bytes) {
  SocketCounts counts;
  for (const ChosenLink& l : links) ++(wire::encoding_for(l.link.arphrd).raw ? counts.raw : counts.cooked);
  Result<NetnsSockets> sockets = context_.worker.open(plan_.place, counts);
  if (!sockets) return sockets.error();
  if (sockets->netns_inode != netns_inode_) {
    return Error{ErrorKind::gone, plan_.place.who() + " was restarted meanwhile", "select it again"};
  }
  for (const ChosenLink& l : links) {
    auto& pool = wire::encoding_for(l.link.arphrd).raw ? sockets->raw : sockets->cooked;
    UniqueFd socket = std::move(pool.back());
    pool.pop_back();
    if (const Status s = attach(l, bytes, std::move(socket)); !s) return s.error();
  }
  return ok();
}

RingBudget::Wish NetnsCapture::wish_for(std::size_t links) const {
  RingBudget::Wish wish = context_.ring_wish();
  wish.have = static_cast<std::size_t>(
      std::count_if(rings_.begin(), rings_.end(), [](const auto& r) { return r->open; }));
  wish.fresh = links;
  wish.made = interfaces_;
  return wish;
}

// Root in a container makes as many links as it likes: told once, however often they change.
Status NetnsCapture::leave_out(std::size_t links) {
  if ((!known_ && !rings_.empty()) || std::exchange(left_out_, true)) return ok();
  Error error{ErrorKind::internal,
              std::to_string(links) + (links == 1 ? " link of " : " links of ") + plan_.place.who() +
                  " not captured: one capture has " + std::to_string(RingBudget::kTotal >> 20U) +
                  " MiB for rings, and one container " + std::to_string(RingBudget::kMostLinks) +
                  " links at once, " + std::to_string(RingBudget::kMostInterfaces) + " in all",
              "name the links that matter (-i), or fewer containers"};
  if (rings_.empty()) return error;
  report("lifecycle", "link-failed", "", error.line());
  return ok();
}

// Of links of one name that come and go, figures stay.
void NetnsCapture::forget_replaced() {
  for (std::size_t i = rings_.size(); i-- > 0;) {
    LinkRing& last = *rings_[i];
    for (std::size_t j = i; j-- > 0;) {
      const LinkRing& gone = *rings_[j];
      if (gone.open || gone.link.name != last.link.name) continue;
      const std::uint64_t lost = gone.declared ? context_.recorder.lost(gone.id) : 0;
      last.before.received += gone.ring.received + gone.before.received - lost;
      last.before.dropped += gone.ring.dropped + gone.before.dropped + lost;
      last.before.memory_dropped += gone.before.memory_dropped + lost;
      last.before.queue_dropped += gone.queue_dropped + gone.before.queue_dropped;
      rings_.erase(rings_.begin() + static_cast<std::ptrdiff_t>(j));
      --i;
    }
  }
}

Status NetnsCapture::attach(const ChosenLink& chosen, std::size_t bytes, UniqueFd socket) {
  const wire::LinkEncoding encoding = wire::encoding_for(chosen.link.arphrd);
  auto ring = std::make_unique<LinkRing>();
  ring->filter_text = both_filters(chosen.filter, context_.options.filter);
  // The kernel would run it on a cooked packet without the header that it was compiled for.
  Result<Filter> filter = Filter::compile(ring->filter_text, encoding.linktype, context_.options.snaplen,
                                          /* in_user_space= */ !encoding.raw);
  if (!filter) return filter.error();
  ring->filter = std::move(*filter);
  ring->link = chosen.link;
  ring->mac = CapturedMacs::number(chosen.link.mac);
  ring->name = chosen.name;
  const wire::RingOptions options = ring_options(context_.options, bytes, chosen.link, ring->filter);
  const char* step = "";
  const int error =
      wire::open_ring(&ring->ring, socket.release(), chosen.link.ifindex, encoding, &options, &step);
  if (error == -ENODEV || error == -ENXIO) return ok();  // the link has vanished: rtnetlink tells
  if (error != 0) {
    return os_error(-error,
                    "capture on " + in_quotes(chosen.link.name) + " of " + plan_.place.who() + ": " + step);
  }
  ring->memory = context_.rings->take(bytes);
  ++interfaces_;
  ring->start_ns = static_cast<std::uint64_t>(now_ns());
  ring->open = true;
  rings_.push_back(std::move(ring));
  if (known_) begin_reading(*rings_.back());
  return ok();
}

void NetnsCapture::begin_reading(LinkRing& r) {
  if (!r.open || r.declared) return;
  r.declared = true;
  r.id = context_.recorder.add_interface({.target = plan_.target,
                                          .link = r.link,
                                          .name = r.name,
                                          .linktype = r.ring.encoding.linktype,
                                          .snaplen = context_.options.snaplen,
                                          .filter = r.filter_text,
                                          .netns = netns_inode_});
  if (hooks_.opened) hooks_.opened(r.id, plan_.target, r.link, r.ring.encoding.linktype, r.name);
  if (plan_.target.point == Point::inside && !r.link.mac.empty()) context_.macs.add(r.link.mac);
  LinkRing* raw = &r;
  context_.loop.add(r.ring.fd, paused_ ? 0U : std::uint32_t{EPOLLIN}, [this, raw](std::uint32_t events) {
    if ((events & EPOLLERR) != 0) wire::clear_error(&raw->ring);
    take_packets(*raw);
  });
}

void NetnsCapture::wait_for_last_blocks(const LinkOptions& options) {
  (void)::poll(nullptr, 0, last_blocks_ms(options));
}

// See captured_macs.h. Packets that leave carry the container's own address, looped ones none.
bool NetnsCapture::is_copy(const LinkRing& r, const wire::Packet& packet) const {
  return packet.direction != PACKET_OUTGOING && packet.captured >= 12 &&
         plan_.target.point == Point::inside && r.ring.encoding.linktype == wire::kLinktypeEthernet &&
         !r.link.loopback() && context_.macs.sent_by_captured(packet.data, r.mac);
}

bool NetnsCapture::take_packet(LinkRing& r, const wire::Packet& packet) {
  if (!r.filter.matches(packet.data, packet.captured, packet.length)) return true;
  if (!is_copy(r, packet)) return hooks_.packet(r.id, packet);
  if (hooks_.copy) hooks_.copy(r.id, packet);
  return true;
}

void NetnsCapture::take_packets(LinkRing& r) {
  wire::Packet packet;
  for (std::size_t left = kPacketsPerTurn; left > 0 && wire::next_packet(&r.ring, &packet); --left) {
    if (!take_packet(r, packet)) return;
  }
}

// Also while the output waits for its reader: there is no later. A sender that is as fast as this fills the
// ring again and again, hence no more than one whole ring.
void NetnsCapture::take_last_packets(LinkRing& r) {
  wire::Packet packet;
  for (std::size_t bytes = 0; bytes < r.ring.map_size && wire::next_packet(&r.ring, &packet);
       bytes += sizeof(tpacket3_hdr) + packet.captured)
    (void)take_packet(r, packet);
}

void NetnsCapture::pause(bool paused) {
  paused_ = paused;
  for (const auto& r : rings_) {
    if (!r->open || !r->declared) continue;
    // What is dropped while nobody reads is the reader's fault, not the kernel's.
    wire::update_counters(&r->ring);
    if (paused) r->dropped_at_pause = r->ring.dropped;
    if (!paused) r->queue_dropped += r->ring.dropped - r->dropped_at_pause;
    context_.loop.change(r->ring.fd, paused ? 0U : std::uint32_t{EPOLLIN});
  }
}

void NetnsCapture::close_ring(LinkRing& r) {
  if (!r.open) return;
  wire::update_counters(&r.ring);
  if (paused_) r.queue_dropped += r.ring.dropped - r.dropped_at_pause;
  r.open = false;
  if (r.declared) take_last_packets(r);
  if (r.end_ns == 0) r.end_ns = static_cast<std::uint64_t>(now_ns());
  if (r.declared) {
    context_.recorder.statistics({r.id, r.start_ns, r.end_ns, r.ring.received + r.ring.dropped,
                                  r.ring.dropped + context_.recorder.lost(r.id)});
    context_.loop.remove(r.ring.fd);
    if (plan_.target.point == Point::inside && !r.link.mac.empty()) context_.macs.remove(r.link.mac);
    if (hooks_.closed) hooks_.closed(r.id);
  }
  wire::close_ring(&r.ring);
  r.memory = {};
}

void NetnsCapture::close() {
  if (queries_) after_ = carried();
  for (const auto& r : rings_) close_ring(*r);
  if (changes_) context_.loop.remove(changes_.get());
  if (pidfd_) context_.loop.remove(pidfd_.get());
  if (last_blocks_) context_.loop.remove(last_blocks_.get());
  changes_.reset();
  queries_.reset();
  pidfd_.reset();
  last_blocks_.reset();
}

void NetnsCapture::on_links_changed() {
  (void)kernel::drain_changes(changes_.get());
  const Result<std::vector<model::Link>> links = kernel::list_links(queries_.get());
  if (!links) return;
  for (const auto& r : rings_) {
    const bool there = std::any_of(links->begin(), links->end(), [&](const model::Link& l) {
      return l.ifindex == r->link.ifindex && l.name == r->link.name;
    });
    if (r->open && r->end_ns == 0 && !there) {
      leave(*r);
      if (!r->declared) continue;
      report("lifecycle", "link-removed", r->link.name,
             "link " + r->link.name + " of " + what(plan_.target) + " is gone");
    }
  }
  if (!hooks_.following || hooks_.following()) add_new_links();
  hooks_.changed();
}

void NetnsCapture::add_new_links() {
  const std::size_t before = rings_.size();
  if (const Status s = attach_links(); !s && known_) report("lifecycle", "link-failed", "", s.error().line());
  for (std::size_t i = before; known_ && i < rings_.size(); ++i) report_new_link(*rings_[i]);
  forget_replaced();
}

void NetnsCapture::look_again() {
  if (ended_ns_ == 0) add_new_links();
}

// A link of the same name went before: `network reload` or `network disconnect` and `connect`.
void NetnsCapture::report_new_link(const LinkRing& fresh) {
  const LinkRing* last = nullptr;
  for (const auto& r : rings_) {
    // Its ring may still be open, for its last packets.
    if (r.get() != &fresh && r->end_ns != 0 && r->link.name == fresh.link.name) last = r.get();
  }
  const std::string who = fresh.link.name + " of " + what(plan_.target);
  report("lifecycle", "link-added", fresh.link.name, "capturing on new link " + who);
  if (last == nullptr) return;
  report("gap", "link-replaced", fresh.link.name,
         who + " was made anew: not captured for " + milliseconds(fresh.start_ns - last->end_ns));
}

void NetnsCapture::leave(LinkRing& r) {
  r.end_ns = static_cast<std::uint64_t>(now_ns());
  if (!wire::packets_pending(&r.ring) || !await_last_blocks()) close_ring(r);
}

// Not here and now: others would not be read meanwhile.
bool NetnsCapture::await_last_blocks() {
  if (!last_blocks_) {
    Result<UniqueFd> timer = make_timer(std::chrono::milliseconds(0));
    if (!timer) return false;
    last_blocks_ = std::move(*timer);
    context_.loop.add(last_blocks_.get(), EPOLLIN, [this](std::uint32_t) { on_last_blocks(); });
  }
  arm_once(last_blocks_.get(), std::chrono::milliseconds(last_blocks_ms(context_.options)));
  return true;
}

void NetnsCapture::on_last_blocks() {
  context_.loop.remove(last_blocks_.get());
  last_blocks_.reset();
  for (const auto& r : rings_) {
    if (r->end_ns != 0) close_ring(*r);
  }
  if (ended_ns_ != 0) end();
}

void NetnsCapture::on_process_ended() {
  if (ended_ns_ != 0) return;
  ended_ns_ = static_cast<std::uint64_t>(now_ns());
  for (const int fd : {pidfd_.get(), changes_.get()}) {
    if (fd >= 0) context_.loop.remove(fd);
  }
  for (const auto& r : rings_) {
    if (r->open && r->end_ns == 0) leave(*r);
  }
  if (!last_blocks_) end();
}

void NetnsCapture::end() {
  ended_ = true;
  close();
  report("lifecycle", "exited", "", "container " + plan_.target.container.name + " has stopped");
  hooks_.changed();
}

void NetnsCapture::add_statistics(annotate::Event& event) {
  const std::map<int, Carried> now = carried();
  for (const auto& r : rings_) {
    if (!r->declared) continue;
    wire::update_counters(&r->ring);
    const std::uint64_t queue =
        r->queue_dropped + (paused_ && r->open ? r->ring.dropped - r->dropped_at_pause : 0);
    const auto link = now.find(r->link.ifindex);
    const auto was = before_.find(r->link.ifindex);
    const std::uint64_t errors =
        link == now.end() ? 0 : link->second.errors - (was == before_.end() ? 0 : was->second.errors);
    const std::uint64_t lost = context_.recorder.lost(r->id);
    event.links.push_back({plan_.target.container.name, r->link.name,
                           r->ring.received + r->before.received - lost,
                           r->ring.dropped + r->before.dropped + lost, queue + r->before.queue_dropped,
                           errors, lost + r->before.memory_dropped});
  }
}

std::map<int, NetnsCapture::Carried> NetnsCapture::carried() const {
  std::map<int, Carried> out;
  if (!queries_) return after_;
  const Result<std::vector<kernel::LinkCounters>> counters = kernel::link_counters(queries_.get());
  if (!counters) return out;
  for (const kernel::LinkCounters& c : *counters) {
    const std::uint64_t packets = c.loopback() ? c.rx_packets : c.rx_packets + c.tx_packets;
    out[c.ifindex] = {c.name, c.flags, packets, c.rx_errors + c.tx_errors + c.rx_dropped + c.tx_dropped};
  }
  return out;
}

void NetnsCapture::add_traffic(std::vector<LinkTraffic>& links) {
  for (const auto& [ifindex, c] : carried()) {
    const auto was = before_.find(ifindex);
    const bool captured = std::any_of(rings_.begin(), rings_.end(), [&, index = ifindex](const auto& r) {
      return r->open && r->link.ifindex == index;
    });
    // On the host's side every other link is somebody else's.
    if (plan_.target.point == Point::host && !captured) continue;
    links.push_back({c.name, captured, (c.flags & 0x8U) != 0, (c.flags & 0x1U) != 0,
                     c.packets - (was == before_.end() ? 0 : was->second.packets)});
  }
}

std::uint64_t NetnsCapture::complete_until(std::uint64_t now_ns) const {
  if (!known_) return opened_ns_ + kUnknownHoldNs > now_ns ? opened_ns_ : now_ns;
  std::uint64_t until = now_ns - kInFlightNs;
  for (const auto& r : rings_) {
    if (!r->open || !wire::packets_pending(&r->ring)) continue;
    // Unless the clock was set back since it began.
    const std::uint64_t began = r->start_ns > now_ns + Sequencer::kClockStep ? 0 : r->start_ns;
    until = std::min(until, std::max(r->ring.last_ns, began));
  }
  return until;
}

void NetnsCapture::report(const std::string& kind, const std::string& what, const std::string& link,
                          const std::string& detail) {
  annotate::Event event;
  event.kind = kind;
  event.time_ns = now_ns();
  event.what = what;
  event.container_id = plan_.target.container.id;
  event.container = plan_.target.container.name;
  event.link = link;
  event.detail = one_line(detail, 400);
  context_.recorder.event(event);
}

LinkChooser choose_by_name(std::vector<std::string> names, std::string container, bool strict) {
  return [names = std::move(names), container = std::move(container), strict](
             int, const std::vector<model::Link>& links) mutable -> Result<std::vector<ChosenLink>> {
    std::string present;
    std::vector<ChosenLink> out;
    for (const model::Link& l : links) {
      present += (present.empty() ? "" : ", ") + one_line(l.name, 32);
      if (names.empty() || std::find(names.begin(), names.end(), l.name) != names.end()) {
        out.push_back({l, one_line(l.name, 32), {}});
      }
    }
    const bool first = std::exchange(strict, false);
    for (const std::string& name : names) {
      const bool there =
          std::any_of(links.begin(), links.end(), [&](const auto& l) { return l.name == name; });
      if (there || !first) continue;
      return Error{ErrorKind::usage, "container " + in_quotes(container) + " has no link " + in_quotes(name),
                   "it has " + present};
    }
    return out;
  };
}

}  // namespace podshark::extcap
