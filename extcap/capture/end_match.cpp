// SPDX-License-Identifier: GPL-2.0-or-later
// A packet waits for its counterpart as long as one may be on its way. One that stays alone becomes a
// suspect: segmentation offload cuts a large TCP segment into several on its way to the wire, and a rule may
// have changed its options, so the suspects of both ends are compared once more by their sequence numbers.
#include "extcap/capture/end_match.h"

#include <netinet/in.h>

#include <algorithm>

#include "extcap/capture/sequencer.h"

namespace podshark::extcap {
namespace {

constexpr std::size_t kMostConnections = 65'536;  // of one generation
constexpr std::size_t kMostDrops = 65'536;
constexpr std::uint64_t kKeepDropsNs = 4 * EndMatch::kLongestWay;
constexpr std::uint32_t kLongestSegment = 1U << 18U;  // BIG TCP
// Segmentation offload cuts larger ones, and they have no sequence numbers.
constexpr unsigned kWholeDatagram = 1500;

}  // namespace

void EndMatch::Connections::add(std::uint64_t key) {
  if (newer.size() >= kMostConnections) {
    older.swap(newer);
    newer.clear();
  }
  newer.insert(key);
}

bool EndMatch::Connections::has(std::uint64_t key) {
  if (newer.count(key) > 0) return true;
  if (older.count(key) == 0) return false;
  add(key);
  return true;
}

bool EndMatch::near(const IpAddress& address) const {
  return std::any_of(scene_.near.begin(), scene_.near.end(),
                     [&](const firewall::AddressRange& r) { return r.contains(address); });
}

// Only what heads for the other end: what arrives by some other way is no loss.
bool EndMatch::expected(End end, const trace::Headers& h) {
  using Entry = EndScene::Entry;
  if (h.protocol == IPPROTO_UDP && h.length > kWholeDatagram) return false;
  if (end == End::inside) {
    if (scene_.own.count(h.src) == 0) return false;
    if (scene_.own.count(h.dst) > 0) return false;
    if (from_inside_.has(trace::connection_key(h, false))) return true;
    if (scene_.filtered || scene_.entry == Entry::uplink) return false;
    return (scene_.entry == Entry::bridge && scene_.promiscuous) || !near(h.dst);
  }
  if (to_inside_.has(trace::connection_key(h, false))) return true;
  if (scene_.filtered || scene_.entry == Entry::rootless_uplink) return false;
  if (scene_.entry != Entry::uplink) return scene_.own.count(h.dst) > 0;
  if (scene_.host.count(h.dst) == 0) return false;
  return std::any_of(scene_.published.begin(), scene_.published.end(), [&](const auto& p) {
    return p.protocol == h.protocol && h.dport >= p.first && h.dport <= p.last &&
           (p.any_address || p.address == h.dst);
  });
}

void EndMatch::learn(const trace::Headers& inside, const trace::Headers& host) {
  const bool leaving = scene_.own.count(inside.src) > 0;
  to_inside_.add(trace::connection_key(host, leaving));
  from_inside_.add(trace::connection_key(inside, !leaving));
}

bool EndMatch::match(End end, const trace::Content& content) {
  Open& open = open_[at(end == End::inside ? End::host : End::inside)];
  const auto [begin, stop] = open.equal_range(content.key);
  if (begin == stop) return false;
  const auto oldest =
      std::min_element(begin, stop, [](const auto& a, const auto& b) { return a.second < b.second; });
  Seen& other = waiting_[static_cast<std::size_t>(oldest->second - first_)];
  other.matched = true;
  open.erase(oldest);
  const trace::Headers& mine = content.headers;
  const trace::Headers& theirs = other.content.headers;
  if (end == End::inside) learn(mine, theirs);
  if (end == End::host) learn(theirs, mine);
  return true;
}

void EndMatch::packet(End end, std::uint32_t interface, std::uint64_t time_ns,
                      std::span<const std::uint8_t> packet) {
  const std::optional<trace::Content> content = trace::content_of(packet, payload_);
  if (!content || match(end, *content)) return;
  if (waiting_.size() >= kMostWaiting) {
    ++unjudged_;
    return;
  }
  const bool wanted = time_ns >= judged_from_ns_ && expected(end, content->headers);
  open_[at(end)].emplace(content->key, first_ + waiting_.size());
  waiting_.push_back({*content, time_ns, interface, end, wanted, false});
}

void EndMatch::dropped(std::span<const std::uint8_t> packet, std::uint64_t time_ns,
                       std::shared_ptr<const annotate::Event> event) {
  const std::optional<trace::Content> content = trace::content_of(packet, payload_);
  if (!content) return;
  if (newer_drops_.size() >= kMostDrops || time_ns > newer_drops_since_ns_ + kKeepDropsNs) {
    older_drops_.swap(newer_drops_);
    newer_drops_.clear();
    newer_drops_since_ns_ = time_ns;
  }
  newer_drops_.insert_or_assign(content->key, std::move(event));
}

std::shared_ptr<const annotate::Event> EndMatch::drop_of(std::uint64_t key) const {
  for (const Drops* drops : {&newer_drops_, &older_drops_}) {
    if (const auto it = drops->find(key); it != drops->end()) return it->second;
  }
  return nullptr;
}

void EndMatch::suspect(Seen&& seen) {
  if (suspects_.size() >= kMostWaiting) {
    ++unjudged_;
    return;
  }
  if (seen.content.bytes > 0)
    ranges_[at(seen.end)].insert({seen.content.headers.seq, {seen.content.bytes, seen.time_ns}});
  suspects_.push_back(std::move(seen));
}

// Whether the other end has seen each of its sequence numbers, in segments that nobody matched either.
// Sequence numbers wrap around, and so does the search.
bool EndMatch::covered(const Seen& seen) const {
  const Ranges& others = ranges_[at(seen.end == End::inside ? End::host : End::inside)];
  if (seen.content.bytes == 0 || others.empty()) return false;
  const std::uint32_t first = seen.content.headers.seq;
  std::uint32_t have = 0;  // of its bytes, from the first on
  auto it = others.lower_bound(first - kLongestSegment);
  for (std::size_t looked = 0; looked < others.size(); ++looked, ++it) {
    if (it == others.end()) it = others.begin();
    const std::uint32_t ahead = it->first - first;   // of the first byte, modulo 2^32
    const bool before = ahead > seen.content.bytes;  // begins before it, or far away
    const std::uint32_t skipped = before ? first - it->first : 0;
    if (before && skipped > kLongestSegment) break;
    if (!before && ahead > have) return false;
    const std::uint32_t end =
        before ? (it->second.bytes > skipped ? it->second.bytes - skipped : 0) : ahead + it->second.bytes;
    have = std::max(have, end);
    if (have >= seen.content.bytes) return true;
  }
  return false;
}

void EndMatch::forget_range(const Seen& seen) {
  if (seen.content.bytes == 0) return;
  Ranges& ranges = ranges_[at(seen.end)];
  const auto [begin, end] = ranges.equal_range(seen.content.headers.seq);
  const auto it = std::find_if(begin, end, [&](const auto& r) {
    return r.second.time_ns == seen.time_ns && r.second.bytes == seen.content.bytes;
  });
  if (it != end) ranges.erase(it);
}

void EndMatch::advance(std::uint64_t until_ns, const std::function<void(OneSided&&)>& verdict) {
  const auto past = [&](const Seen& seen, std::uint64_t limit) { return seen.time_ns + limit <= until_ns; };
  while (!waiting_.empty() && (waiting_.front().matched || past(waiting_.front(), kLongestWay))) {
    Seen& seen = waiting_.front();
    if (!seen.matched) {
      Open& open = open_[at(seen.end)];
      const auto [begin, end] = open.equal_range(seen.content.key);
      const auto it = std::find_if(begin, end, [&](const auto& o) { return o.second == first_; });
      if (it != end) open.erase(it);
      if (seen.expected || seen.content.bytes > 0) suspect(std::move(seen));
    }
    waiting_.pop_front();
    ++first_;
  }
  // Its counterparts became suspects within one more way of its own.
  while (!suspects_.empty() && past(suspects_.front(), 2 * kLongestWay)) {
    const Seen& seen = suspects_.front();
    if (seen.expected && !covered(seen))
      verdict({seen.end, seen.interface, seen.time_ns, seen.content.headers, drop_of(seen.content.key)});
    // Its range still serves younger ones of the other end for a while: they are judged within the same time.
    forget_later_.push_back(std::move(suspects_.front()));
    suspects_.pop_front();
  }
  while (!forget_later_.empty() && past(forget_later_.front(), 3 * kLongestWay)) {
    forget_range(forget_later_.front());
    forget_later_.pop_front();
  }
}

void EndMatch::forget_future(std::uint64_t now_ns) {
  const auto ahead = [&](std::uint64_t time_ns) { return time_ns > now_ns + Sequencer::kClockStep; };
  const auto begins_ahead = [&](const std::deque<Seen>& seen) {
    return !seen.empty() && ahead(seen.front().time_ns);
  };
  const bool judges = judged_from_ns_ != UINT64_MAX;
  const bool waits = begins_ahead(waiting_) || begins_ahead(suspects_) || begins_ahead(forget_later_);
  if (!waits && !(judges && ahead(judged_from_ns_))) return;
  interrupt();
  if (judges) begin(now_ns + kSettle);
}

void EndMatch::interrupt() {
  judged_from_ns_ = UINT64_MAX;
  first_ += waiting_.size();
  waiting_.clear();
  suspects_.clear();
  forget_later_.clear();
  for (Open& open : open_) open.clear();
  for (Ranges& ranges : ranges_) ranges.clear();
}

}  // namespace podshark::extcap
