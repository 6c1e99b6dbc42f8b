// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/agent/rings.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <utility>

#include "extcap/agent/clocks.h"

namespace podshark::agent {
namespace {

constexpr std::size_t kBatch = std::size_t{256} << 10U;
constexpr std::uint32_t kLargeBlock = 1U << 18U;
constexpr std::uint32_t kSmallBlock = 1U << 17U;  // still holds a 64 KiB GSO packet
constexpr std::uint64_t kMostRing = std::uint64_t{4} << 20U;
constexpr std::uint64_t kLeastRing = std::uint64_t{2} * kSmallBlock;
constexpr std::uint64_t kRingBudget = std::uint64_t{128} << 20U;  // kernel memory of all rings
constexpr std::uint64_t kLinksEach = 2;                           // most have lo and one more
constexpr std::uint64_t kFewLinks = 4;  // for so many a size that was asked for holds
constexpr std::uint64_t kLater = 16;    // links that appear one by one find something left

bool same_text(const char* name, wire::Text text) {
  return strlen(name) == text.size && memcmp(name, text.data, text.size) == 0;
}

void set_size(wire::RingOptions* options, std::uint64_t bytes) {
  options->block_size = bytes >= 8 * std::uint64_t{kLargeBlock} ? kLargeBlock : kSmallBlock;
  options->block_count = static_cast<std::uint32_t>(bytes / options->block_size);
  if (options->block_count < 2) options->block_count = 2;
}

bool is_no_memory(int error) {
  return error == -ENOMEM || error == -ENOBUFS;
}

Failure ring_failure(const char* step, int error) {
  ExitCode code = kInternal;
  if (error == -ENOPROTOOPT || error == -EINVAL || error == -EOPNOTSUPP) code = kNoPacketSockets;
  if (strcmp(step, "SO_ATTACH_FILTER") == 0) code = kBadFilter;
  if (is_no_memory(error)) code = kNoMemory;
  return {step, -error, code};
}

}  // namespace

Rings::~Rings() {
  for (std::size_t i = 0; i < count_; ++i) wire::close_ring(&slots_[i].ring);
  free(slots_);
}

bool Rings::allocate() {
  slots_ = static_cast<Slot*>(calloc(kMost, sizeof(Slot)));
  // Whoever does not filter still says how much of a packet he wants: the ring would else hold it whole.
  all_[0] = {BPF_RET | BPF_K, 0, 0, arguments_.snaplen};
  return slots_ != nullptr;
}

bool Rings::wanted(const Link& link) const {
  for (std::size_t i = 0; i < arguments_.link_count; ++i) {
    if (same_text(link.name, arguments_.links[i])) return true;
  }
  return arguments_.link_count == 0;
}

const Rings::Slot* Rings::find(std::size_t target, const Link& link) const {
  for (std::size_t i = 0; i < count_; ++i) {
    const Slot& s = slots_[i];
    // By both: `podman network reload` makes eth0 anew with another number.
    if (s.open && s.target == target && s.ring.ifindex == link.ifindex && strcmp(s.name, link.name) == 0)
      return &s;
  }
  return nullptr;
}

Rings::Slot* Rings::free_slot() {
  for (std::size_t i = 0; i < count_; ++i) {
    if (!slots_[i].open) return &slots_[i];
  }
  if (count_ == kMost) return nullptr;
  slots_[count_] = Slot{};
  return &slots_[count_++];
}

std::size_t Rings::fresh_links(std::size_t target, const LinkList& links) const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < links.count; ++i)
    count += wanted(links.links[i]) && find(target, links.links[i]) == nullptr ? 1U : 0U;
  return count;
}

std::size_t Rings::open_rings(std::size_t target) const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < count_; ++i) count += slots_[i].open && slots_[i].target == target ? 1U : 0U;
  return count;
}

// Whoever makes links, however many, gets no more than this.
std::uint64_t Rings::total() const {
  const std::uint64_t asked =
      (std::uint64_t{arguments_.ring_kib} << 10U) * kFewLinks * arguments_.target_count;
  return asked > kRingBudget ? asked : kRingBudget;
}

std::uint64_t Rings::left() const {
  return total() > used_ ? total() - used_ : 0;
}

std::uint64_t Rings::ring_bytes(std::size_t have, std::size_t fresh) const {
  std::uint64_t bytes = kRingBudget / (kLinksEach * arguments_.target_count);
  if (bytes > kMostRing) bytes = kMostRing;
  if (arguments_.ring_kib != 0) bytes = std::uint64_t{arguments_.ring_kib} << 10U;
  const std::uint64_t others = kLinksEach * (arguments_.target_count - 1);
  const std::uint64_t soon = (fresh + others) * bytes;
  const std::uint64_t share = left() / (fresh + others + kLater);
  const bool few = have + fresh <= kFewLinks && soon <= left();
  if (!few && used_ + soon > total() / 2 && bytes > share) bytes = share;
  return bytes < kLeastRing ? kLeastRing : bytes;
}

wire::RingOptions Rings::options_for(const Link& link, const wire::LinkEncoding& encoding) const {
  wire::RingOptions options;
  options.retire_ms = kRetireMs;
  options.snaplen = arguments_.snaplen;
  options.promiscuous = arguments_.promiscuous;
  options.loopback = (link.flags & IFF_LOOPBACK) != 0;
  options.filter = all_;
  options.filter_length = 1;
  for (std::size_t i = 0; i < arguments_.filter_count; ++i) {
    if (arguments_.filters[i].linktype != encoding.linktype) continue;
    options.filter = arguments_.filters[i].code;
    options.filter_length = arguments_.filters[i].length;
  }
  return options;
}

// A smaller ring is better than none.
Failure Rings::open_ring(Slot& slot, Opener& opener, const Link& link, UniqueFd socket, std::uint64_t bytes) {
  const wire::LinkEncoding encoding = wire::encoding_for(link.type);
  wire::RingOptions options = options_for(link, encoding);
  for (;; bytes /= 2) {
    set_size(&options, bytes);
    const char* step = "";
    const int error = wire::open_ring(&slot.ring, socket.release(), link.ifindex, encoding, &options, &step);
    if (error == 0) return {};
    if (!is_no_memory(error) || options.block_count == 2) return ring_failure(step, error);
    Sockets again;
    const SocketCounts one{.netlink = 0, .raw = encoding.raw ? 1U : 0U, .cooked = encoding.raw ? 0U : 1U};
    if (const Failure f = opener.open(one, &again); f.step != nullptr) return f;
    socket.reset(again.fds[0].release());
  }
}

void Rings::declare(Slot& slot, const Link& link) {
  Line name;
  Line description;
  name.add(slot.target).add("/").add_printable(link.name);
  describe(link, &description);
  wire::InterfaceInfo info{};
  info.linktype = slot.ring.encoding.linktype;
  info.snaplen = arguments_.snaplen;
  info.name = name.text();
  info.description = description.text();
  slot.id = next_id_++;
  if (!wire::put_interface(output_.bytes(), &info)) failed_ = kNoMemory;
}

Failure Rings::attach_one(std::size_t target, Opener& opener, const Link& link, UniqueFd socket,
                          std::uint64_t bytes) {
  Slot* slot = free_slot();
  if (slot == nullptr) return {"capture on more than 1024 links", E2BIG, kInternal};
  const Failure failed = open_ring(*slot, opener, link, std::move(socket), bytes);
  if (failed.error == ENODEV || failed.error == ENXIO) return {};  // it has vanished: rtnetlink tells
  if (failed.step != nullptr) return failed;
  slot->target = target;
  memcpy(slot->name, link.name, sizeof(slot->name));
  slot->start_ns = wall_ns();
  slot->open = true;
  used_ += slot->ring.map_size;
  declare(*slot, link);
  return {};
}

Failure Rings::attach_some(std::size_t target, Opener& opener, const Link* const* links, std::size_t count,
                           std::uint64_t bytes) {
  SocketCounts counts;
  for (std::size_t i = 0; i < count; ++i)
    ++(wire::encoding_for(links[i]->type).raw ? counts.raw : counts.cooked);
  Sockets sockets;
  if (const Failure f = opener.open(counts, &sockets); f.step != nullptr) return f;
  std::size_t raw = 0;
  std::size_t cooked = counts.raw;
  for (std::size_t i = 0; i < count; ++i) {
    UniqueFd socket(sockets.fds[wire::encoding_for(links[i]->type).raw ? raw++ : cooked++].release());
    const Failure f = attach_one(target, opener, *links[i], std::move(socket), bytes);
    if (f.step != nullptr) return f;
  }
  return {};
}

Failure Rings::attach(std::size_t target, Opener& opener, const LinkList& links) {
  const Link* fresh[kMaxSockets];
  std::size_t count = 0;
  const std::size_t wanted_links = fresh_links(target, links);
  const std::uint64_t bytes = ring_bytes(open_rings(target), wanted_links);
  std::size_t room = static_cast<std::size_t>(left() / bytes);
  std::size_t open = 0;
  for (std::size_t i = 0; i < arguments_.target_count; ++i) open += open_rings(i);
  if (room > kMost - open) room = kMost - open;
  if (room > kMostInterfaces - next_id_) room = kMostInterfaces - next_id_;
  const bool all = wanted_links <= room;
  for (std::size_t i = 0; i <= links.count; ++i) {
    const bool last = i == links.count || room == 0;
    if (!last && wanted(links.links[i]) && find(target, links.links[i]) == nullptr) {
      fresh[count++] = &links.links[i];
      --room;
    }
    if (count != 0 && (last || count == kMaxSockets)) {
      if (const Failure f = attach_some(target, opener, fresh, count, bytes); f.step != nullptr) return f;
      count = 0;
    }
    if (last) break;
  }
  // Once: links may come and go without end. It is no reason not to capture the others.
  if (all || left_out_) return {};
  left_out_ = true;
  return {"capture on further links (all rings share 128 MiB, and 4096 links are the most)", ENOBUFS, kDone};
}

void Rings::take(std::size_t slot, Limits limits) {
  Slot& s = slots_[slot];
  wire::Packet packet;
  while (output_.backlog() < limits.backlog && limits.packets-- > 0 && wire::next_packet(&s.ring, &packet)) {
    if (packet.time_ns > limits.until_ns) {
      --s.ring.received;
      return;
    }
    if (!wire::put_packet(output_.bytes(), s.id, packet.time_ns, packet.data, packet.captured,
                          packet.length)) {
      failed_ = kNoMemory;
      return;
    }
    if (output_.backlog() >= kBatch && !output_.flush()) {
      failed_ = kReaderGone;
      return;
    }
  }
}

void Rings::put_statistics(Slot& slot, std::uint64_t now_ns) {
  wire::update_counters(&slot.ring);
  const wire::InterfaceCounters counters{slot.id, slot.start_ns, now_ns,
                                         slot.ring.received + slot.ring.dropped, slot.ring.dropped};
  if (!wire::put_statistics(output_.bytes(), &counters)) failed_ = kNoMemory;
}

void Rings::put_statistics() {
  const std::uint64_t now = wall_ns();
  for (std::size_t i = 0; i < count_; ++i) {
    if (slots_[i].open) put_statistics(slots_[i], now);
  }
}

void Rings::close(std::size_t slot, Limits limits) {
  Slot& s = slots_[slot];
  if (!s.open) return;
  take(slot, limits);
  put_statistics(s, wall_ns());
  used_ -= s.ring.map_size;
  wire::close_ring(&s.ring);
  s.open = false;
}

void Rings::close_others(std::size_t target, const LinkList& links) {
  for (std::size_t i = 0; i < count_; ++i) {
    if (!slots_[i].open || slots_[i].target != target) continue;
    bool there = false;
    for (std::size_t l = 0; l < links.count && !there; ++l)
      there = find(target, links.links[l]) == &slots_[i];
    if (!there) close(i, {.until_ns = wall_ns()});
  }
}

void Rings::close_target(std::size_t target) {
  bool pending = false;
  for (std::size_t i = 0; i < count_; ++i) {
    const Slot& s = slots_[i];
    pending = pending || (s.open && s.target == target && wire::packets_pending(&s.ring));
  }
  if (pending) (void)poll(nullptr, 0, kLastBlocksMs);
  for (std::size_t i = 0; i < count_; ++i) {
    if (slots_[i].target == target) close(i, {.until_ns = wall_ns()});
  }
}

}  // namespace podshark::agent
