// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "extcap/capture/event_loop.h"
#include "extcap/capture/forward_match.h"
#include "extcap/capture/source.h"
#include "podman/core/fd.h"
#include "podman/wire/ring.h"

namespace podshark::extcap {

/// True for the first packet of a TCP connection, in an Ethernet frame. Pure.
[[nodiscard]] bool opens_connection(const wire::Packet& packet);

/// Looks into the socket tables when a connection of a container begins whose traffic a program forwards, and
/// tells which two belong together. Reads /proc only; what may not be read is not told.
class ForwardWatch {
 public:
  using Record = std::function<void(annotate::Event&&)>;
  /// `loop` outlives the object; `record` is called from it.
  ForwardWatch(EventLoop& loop, Record record);
  ~ForwardWatch();
  ForwardWatch(const ForwardWatch&) = delete;
  ForwardWatch& operator=(const ForwardWatch&) = delete;

  void captured(const std::vector<std::unique_ptr<Source>>& sources, const model::Inventory& inventory);
  /// Tells again of what goes on, for a new file.
  void repeat(const Record& record);
  /// Each captured packet: costs a comparison where no captured container is forwarded for.
  void packet(const wire::Packet& packet) {
    if (!watched_.empty() && opens_connection(packet)) on_connection(packet.time_ns);
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Watched {
    model::Container container;
    ForwardMatcher matcher;
    bool looked = false;
  };
  void on_connection(std::uint64_t time_ns);
  void arm(std::chrono::milliseconds delay);
  void look();
  void look_at(Watched& w, const std::vector<kernel::TcpSocket>& host,
               const std::vector<Forwarder>& forwarders);

  EventLoop& loop_;
  Record record_;
  UniqueFd timer_;
  bool armed_ = false;
  int again_ = 0;                           // looks left until what is not matched is given up
  std::int64_t first_ns_ = 0;               // of the connections that the next look is for
  Clock::time_point not_before_{};          // looks take a small share of the time
  std::map<std::string, Watched> watched_;  // by the container's id
};

}  // namespace podshark::extcap
