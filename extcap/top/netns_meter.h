// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "extcap/capture/event_loop.h"
#include "extcap/naming.h"
#include "extcap/top/judge.h"
#include "extcap/top/peer_table.h"
#include "extcap/worker_client.h"
#include "podman/core/fd.h"
#include "podman/core/result.h"
#include "podman/kernel/tcp_table.h"

namespace podshark::extcap::top {

/// Measures one network namespace until its process ends.
class NetnsMeter {
 public:
  static constexpr std::uint32_t kRetireMs = 20;  ///< so long may a packet wait in a ring that is not full

  struct Options {
    bool peers = true;  ///< look at packets
    std::size_t ring_bytes = std::size_t{512} << 10U;
  };

  /// `worker` and `loop` must outlive the meter. `on_end` runs when the process has ended and the last
  /// numbers are in.
  [[nodiscard]] static Result<std::unique_ptr<NetnsMeter>> open(const Target& target, const Options& options,
                                                                WorkerClient& worker, EventLoop& loop,
                                                                std::function<void()> on_end);
  ~NetnsMeter();
  NetnsMeter(const NetnsMeter&) = delete;
  NetnsMeter& operator=(const NetnsMeter&) = delete;

  [[nodiscard]] const Target& target() const { return target_; }
  /// The same process under another name (podman rename) or with published ports that are known by now.
  void rename(const Target& target) { target_ = target; }
  void publish(const std::vector<model::PortMapping>& ports);

  /// Ends the interval: reads the counters. Packets that come later belong to the next one.
  void cut();
  /// What was measured between the last two cuts; at least 2 * kRetireMs after the last one, so that its
  /// packets have come out of the rings.
  [[nodiscard]] Measured take();
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  struct LinkRing;

  NetnsMeter(Target target, const Options& options, WorkerClient& worker, EventLoop& loop,
             std::function<void()> on_end);
  [[nodiscard]] Status start();
  [[nodiscard]] Result<Reading> read();
  void read_sockets(Reading& reading);
  [[nodiscard]] std::optional<std::uint64_t> read_tcp_table();
  void follow_links(const std::vector<kernel::LinkCounters>& links);
  void attach(const kernel::LinkCounters& link, UniqueFd socket);
  void take_packets(LinkRing& ring, std::size_t most);
  void close_ring(LinkRing& ring);
  void on_process_ended();
  [[nodiscard]] std::string proc_file(const char* name) const;

  Target target_;
  Options options_;
  WorkerClient& worker_;
  EventLoop& loop_;
  std::function<void()> on_end_;
  UniqueFd pidfd_;
  UniqueFd proc_net_;  // directory /proc/PID/net: stays this process's, whoever gets the pid later
  UniqueFd netlink_;
  std::uint64_t netns_inode_ = 0;
  std::vector<std::unique_ptr<LinkRing>> rings_;
  ServicePorts ports_;
  std::string tcp_seen_;
  std::optional<std::uint64_t> connections_;
  Reading before_;
  Reading after_;
  std::uint64_t begin_ns_ = 0;  // CLOCK_REALTIME: packets of before were not counted by the links either
  std::uint64_t cut_ns_;        // the same of the last cut; those after it belong to the next interval
  std::uint64_t read_ns_ = 0;   // the same of the last reading of the links
  PeerTable current_;
  PeerTable next_;
  std::uint64_t unseen_ = 0;
  std::string problem_;
  bool ended_ = false;
};

}  // namespace podshark::extcap::top
