// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "extcap/capture/drop_ring.h"
#include "extcap/capture/event_loop.h"
#include "extcap/drops/protocol.h"
#include "podman/core/ip_address.h"

namespace podshark::extcap {

/// The process podshark-drops, which holds the BPF program. It takes a tenth of a second to load it; what is
/// to be watched can be told at once. Ends with this object.
class DropHelper {
 public:
  struct Hooks {
    std::function<void()> ready;               ///< ring, counters and names are there
    std::function<void(const Error&)> failed;  ///< once: it will never be ready, or is no more
    std::function<void(std::uint32_t tag, const Error&)> refused;  ///< one thing that can not be watched
  };
  /// `loop` must outlive the object.
  DropHelper(EventLoop& loop, Hooks hooks) : loop_(loop), hooks_(std::move(hooks)) {}
  ~DropHelper();
  DropHelper(const DropHelper&) = delete;
  DropHelper& operator=(const DropHelper&) = delete;

  [[nodiscard]] Status start(std::uint32_t snaplen, bool everything);

  /// `socket` is an AF_PACKET socket in the namespace that is meant.
  void watch_netns(int socket, std::uint32_t tag);
  void watch_address(int socket, std::uint32_t tag, const IpAddress& address);
  void watch_port(int socket, std::uint32_t tag, std::uint8_t protocol, std::uint16_t port);
  void local_address(int socket, const IpAddress& address);
  void forget(std::uint32_t tag);

  [[nodiscard]] DropRing& ring() { return ring_; }
  /// So many events of `tag` were sent, and lost because the ring was full.
  struct Count {
    std::uint64_t sent = 0;
    std::uint64_t lost = 0;
  };
  [[nodiscard]] Count count(std::uint32_t tag) const;
  /// "NETFILTER_DROP"; a number that this kernel has no name for stays one.
  [[nodiscard]] std::string reason(std::uint32_t value) const;
  /// The kernel lets us read packets whole, and conntrack's tuples.
  [[nodiscard]] bool whole_packets() const { return whole_packets_; }
  [[nodiscard]] bool connections() const { return connections_; }

 private:
  void send(const drops::Request& request, int socket = -1);
  void on_message();
  void take_names(const char* bytes, std::size_t size);
  void take_ring(const drops::Reply& reply, UniqueFd ring, UniqueFd counts);
  void fail(const Error& error);

  EventLoop& loop_;
  Hooks hooks_;
  pid_t pid_ = 0;
  UniqueFd channel_;
  DropRing ring_;
  const void* counts_ = nullptr;
  std::size_t counts_size_ = 0;
  std::map<std::uint32_t, std::string> reasons_;
  bool whole_packets_ = false;
  bool connections_ = false;
};

}  // namespace podshark::extcap
