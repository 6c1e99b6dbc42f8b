// SPDX-License-Identifier: GPL-2.0-or-later
// Packets of one container that were captured inside of it and where they enter the host: which of them are
// missing at the other end. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "podman/annotate/codec.h"
#include "podman/core/ip_address.h"
#include "podman/firewall/match.h"
#include "podman/trace/content.h"

namespace podshark::extcap {

enum class End : std::uint8_t { inside, host };

/// What says which packets have to pass both ends.
struct EndScene {
  enum class Entry : std::uint8_t {
    bridge,           ///< of the container's network: everything of it, but see `promiscuous`
    parent,           ///< of a macvlan or ipvlan: what leaves its subnets or comes from outside of them
    uplink,           ///< of the host: what comes for published ports, and its answers
    rootless_uplink,  ///< of the rootless networks: what leaves all of them, and its answers
  };
  Entry entry = Entry::bridge;
  std::set<IpAddress> own;   ///< the container's
  std::set<IpAddress> host;  ///< the host's, where published ports are
  struct Published {
    IpAddress address;
    bool any_address = true;
    std::uint8_t protocol = 0;  ///< IPPROTO_*
    std::uint16_t first = 0;
    std::uint16_t last = 0;
  };
  std::vector<Published> published;
  std::vector<firewall::AddressRange>
      near;                 ///< networks within which it reaches others without passing the entry
  bool promiscuous = true;  ///< a bridge shows what passes between containers only then
  bool filtered = false;    ///< a capture filter may take one end only: judge known connections alone
};

/// A packet that only one end has seen.
struct OneSided {
  End seen = End::inside;
  std::uint32_t interface = 0;  ///< where
  std::uint64_t time_ns = 0;
  trace::Headers headers;
  std::shared_ptr<const annotate::Event> drop;  ///< the kernel's word on it; may be none
};

class EndMatch {
 public:
  void set_scene(EndScene scene) { scene_ = std::move(scene); }
  /// Both ends are captured from then on; what is older is not judged.
  void begin(std::uint64_t since_ns) { judged_from_ns_ = since_ns; }
  /// An end is not captured any more: nothing that waits is judged.
  void interrupt();

  /// `packet` from its IP header on. In order of time within an interface.
  void packet(End end, std::uint32_t interface, std::uint64_t time_ns, std::span<const std::uint8_t> packet);
  /// A packet that the kernel has dropped; before or after packet() saw it.
  void dropped(std::span<const std::uint8_t> packet, std::uint64_t time_ns,
               std::shared_ptr<const annotate::Event> event);
  /// What waits and is far ahead of `now_ns` is forgotten: the clock was set back, and it would be in the way
  /// until the time has come again.
  void forget_future(std::uint64_t now_ns);
  /// Nothing older than `until_ns` can come at either end. What is missing by now is verdict()'s.
  void advance(std::uint64_t until_ns, const std::function<void(OneSided&&)>& verdict);
  /// Packets that could not be judged because there were too many, since the last call.
  [[nodiscard]] std::uint64_t take_unjudged() { return std::exchange(unjudged_, 0); }

  /// Bytes of payload that are compared: fewer with a short snapshot length.
  void compare_payload(std::size_t bytes) { payload_ = bytes; }

  /// A packet takes no longer from one end to the other.
  static constexpr std::uint64_t kLongestWay = 300'000'000;
  static constexpr std::size_t kMostWaiting = 262'144;
  /// Time after begin() until which an end may not see packets yet.
  static constexpr std::uint64_t kSettle = 100'000'000;

 private:
  struct Seen {
    trace::Content content;
    std::uint64_t time_ns = 0;
    std::uint32_t interface = 0;
    End end = End::inside;
    bool expected = false;  // at the other end
    bool matched = false;
  };
  struct Range {
    std::uint32_t bytes = 0;
    std::uint64_t time_ns = 0;
  };
  using Ranges = std::multimap<std::uint32_t, Range>;  // by first sequence number
  /// Forgets what was not used for a while.
  struct Connections {
    std::unordered_set<std::uint64_t> newer, older;
    void add(std::uint64_t key);
    [[nodiscard]] bool has(std::uint64_t key);
  };

  [[nodiscard]] bool expected(End end, const trace::Headers& h);
  [[nodiscard]] bool near(const IpAddress& address) const;
  void learn(const trace::Headers& inside, const trace::Headers& host);
  [[nodiscard]] bool match(End end, const trace::Content& content);
  void suspect(Seen&& seen);
  [[nodiscard]] bool covered(const Seen& seen) const;
  void forget_range(const Seen& seen);
  [[nodiscard]] std::shared_ptr<const annotate::Event> drop_of(std::uint64_t key) const;

  using Open = std::unordered_multimap<std::uint64_t, std::uint64_t>;  // key → number in waiting_
  static std::size_t at(End end) { return static_cast<std::size_t>(end); }

  EndScene scene_;
  std::size_t payload_ = trace::kComparedPayload;
  std::uint64_t judged_from_ns_ = UINT64_MAX;
  std::deque<Seen> waiting_;  // as they came
  std::uint64_t first_ = 0;   // number of waiting_.front()
  std::array<Open, 2> open_;  // not matched yet
  std::deque<Seen> suspects_;
  std::deque<Seen> forget_later_;  // judged; their ranges still count
  std::array<Ranges, 2> ranges_;   // of TCP suspects
  Connections to_inside_;          // as the host's end has them
  Connections from_inside_;        // as the inside has them
  using Drops = std::unordered_map<std::uint64_t, std::shared_ptr<const annotate::Event>>;
  Drops newer_drops_, older_drops_;
  std::uint64_t newer_drops_since_ns_ = 0;
  std::uint64_t unjudged_ = 0;
};

}  // namespace podshark::extcap
