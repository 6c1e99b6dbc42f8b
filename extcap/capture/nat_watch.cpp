// SPDX-License-Identifier: GPL-2.0-or-later
// The socket that hears events is subscribed before the first list is asked for, so that no connection falls
// between both; one that comes twice is told once (NatLog). The kernel tells of a connection after its first
// packet and seldom says when it began; a record is for readers that see each packet once. So its time is
// when the socket was last known to be empty, or, when that is long ago, as long before now as this process
// has been awake or kept waiting for a processor since (asleep, it would have been woken), and kEarlier more
// for the way of the packet. That is before the first packet, whose ring is read later. Those of a list bear
// the time at which it was asked for.
#include "extcap/capture/nat_watch.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string_view>
#include <utility>

#include "podman/core/clock.h"
#include "podman/core/text.h"
#include "podman/kernel/conntrack.h"
#include "podman/kernel/netlink.h"

namespace podshark::extcap {
namespace {

using Kind = kernel::ConntrackMessage::Kind;
constexpr std::int64_t kEarlier = 20'000'000;
constexpr std::int64_t kEarliest = 250'000'000;
// From a packet's stamp on the uplink to its connection's event.
constexpr std::int64_t kOnItsWay = 10'000'000;
constexpr int kEventsPerTurn = 256;  // packets wait meanwhile
constexpr int kListedPerTurn = 8;    // datagrams of some hundred connections

// How long this thread has run or has waited to run: "RUN WAIT SLICES", nanoseconds. 0 where the kernel does
// not count it.
std::int64_t awake_ns() {
  std::array<char, 96> text{};
  const UniqueFd fd(::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC));
  const ssize_t n = fd ? ::read(fd.get(), text.data(), text.size()) : 0;
  const std::vector<std::string> field = words({text.data(), n > 0 ? static_cast<std::size_t>(n) : 0});
  std::uint64_t ran = 0;
  std::uint64_t waited = 0;
  constexpr std::uint64_t kMost = INT64_MAX / 4;
  if (field.size() < 2 || !parse_number(field[0], kMost, ran) || !parse_number(field[1], kMost, waited))
    return 0;
  return static_cast<std::int64_t>(ran + waited);
}

// Our own namespace needs no child, which would share the rings that are mapped by now.
Result<NetnsSockets> here() {
  NetnsSockets out;
  for (int i = 0; i < 2; ++i) {
    out.netfilter.emplace_back(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
    if (!out.netfilter.back()) return os_error(errno, "open a socket to connection tracking");
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<NatWatch>> NatWatch::open(const NetnsPlace& place, WorkerClient& worker,
                                                 EventLoop& loop, Record record) {
  Result<NetnsSockets> sockets =
      place.kind == NetnsPlace::Kind::host ? here() : worker.open(place, {.netfilter = 2});
  if (!sockets) return sockets.error();
  std::unique_ptr<NatWatch> out(new NatWatch(loop, std::move(record)));
  out->events_ = std::move(sockets->netfilter.at(0));
  out->queries_ = std::move(sockets->netfilter.at(1));
  out->netns_inode_ = sockets->netns_inode;
  if (const Status s = kernel::subscribe_conntrack(out->events_.get()); !s) return s.error();
  out->empty_ns_ = now_ns();
  NatWatch* watch = out.get();
  loop.add(out->events_.get(), EPOLLIN, [watch](std::uint32_t) { watch->hear(); });
  loop.add(out->queries_.get(), EPOLLIN,
           [watch](std::uint32_t) { (void)watch->read(watch->queries_.get(), true); });
  return out;
}

NatWatch::~NatWatch() {
  hear();
  tell_skipped();
  if (events_) loop_.remove(events_.get());
  if (queries_) loop_.remove(queries_.get());
}

void NatWatch::captured(NatOwners owners) {
  if (log_.set_owners(std::move(owners))) list();
}

void NatWatch::list() {
  list_again_ = listing_;
  if (listing_) return;
  hear();
  list_ns_ = now_ns();
  listing_ = static_cast<bool>(kernel::request_conntrack(queries_.get(), ++sequence_));
  if (listing_) log_.list_begins();
}

void NatWatch::hear() {
  const std::int64_t awake = awake_ns();
  late_ns_ = std::min(kEarlier + awake - std::exchange(awake_ns_, awake), kEarliest);
  if (read(events_.get(), false)) empty_ns_ = now_ns();
}

bool NatWatch::read(int fd, bool listing) {
  std::vector<char>& buffer = listing ? list_buffer_ : event_buffer_;
  for (int left = listing ? kListedPerTurn : kEventsPerTurn; left > 0; --left) {
    sockaddr_nl sender{};
    socklen_t size = sizeof(sender);
    const ssize_t n = ::recvfrom(fd, buffer.data(), buffer.size(), MSG_DONTWAIT,
                                 reinterpret_cast<sockaddr*>(&sender), &size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == ENOBUFS) {  // what was lost is found by a list, at the next tick
      ++overruns_;
      continue;
    }
    if (n <= 0) return true;
    if (sender.nl_pid != 0) continue;  // not the kernel
    // Who has begun since we listen is told as an event, not as one that was there.
    if (listing) hear();
    const std::int64_t now = now_ns();
    kernel::each_message({buffer.data(), static_cast<std::size_t>(n)}, [&](std::string_view m) {
      if (const auto message = kernel::parse_conntrack(m)) take(*message, listing, now);
    });
  }
  return false;
}

void NatWatch::take(const kernel::ConntrackMessage& m, bool listing, std::int64_t now_ns) {
  if (listing && m.sequence != sequence_) return;
  if (m.kind == Kind::done || m.kind == Kind::failed) {
    if (!listing || !std::exchange(listing_, false)) return;
    if (m.kind == Kind::done) log_.list_ends();
    if (std::exchange(list_again_, false)) list();
    return;
  }
  std::optional<annotate::Event> event =
      m.kind == Kind::entry ? log_.begun(m.entry, listing, now_ns) : log_.ended(m.entry);
  if (!event) return;
  event->time_ns = listing ? list_ns_ : now_ns;
  if (event->what == "started") {
    // While a list is read the loop is busy, and the socket is looked at the more often.
    const std::int64_t nothing_yet = empty_ns_ - kOnItsWay;
    const std::int64_t earliest = listing_ ? nothing_yet : std::max(nothing_yet, now_ns - late_ns_);
    event->time_ns = m.entry.began_ns > 0 ? m.entry.began_ns : earliest;
  }
  record_(std::move(*event));
}

void NatWatch::repeat(const Record& record) {
  for (annotate::Event& event : log_.open_ones()) {
    event.time_ns = now_ns();
    record(std::move(event));
  }
}

void NatWatch::tick() {
  if (std::exchange(overruns_, 0) != 0) list();
  tell_skipped();
}

void NatWatch::tell_skipped() {
  const std::uint64_t skipped = log_.take_skipped();
  if (skipped == 0) return;
  annotate::Event event;
  event.kind = "nat";
  event.what = "skipped";
  event.time_ns = now_ns();
  event.count = skipped;
  event.detail =
      "skipped: " + std::to_string(skipped) + " translated connections came too fast to be told one by one";
  record_(std::move(event));
}

}  // namespace podshark::extcap
