// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "extcap/capture/event_loop.h"
#include "extcap/capture/nat_log.h"
#include "extcap/worker_client.h"
#include "podman/core/fd.h"
#include "podman/core/result.h"
#include "podman/kernel/conntrack_message.h"

namespace podshark::extcap {

/// Connection tracking of one network namespace as `nat` records. Reads what the kernel tells of connections
/// that begin and end, and lists all of them whenever some may have been missed.
class NatWatch {
 public:
  using Record = std::function<void(annotate::Event&&)>;
  /// ErrorKind::permission without CAP_NET_ADMIN there. Everything passed outlives the object; `record` is
  /// called from the loop.
  [[nodiscard]] static Result<std::unique_ptr<NatWatch>> open(const NetnsPlace& place, WorkerClient& worker,
                                                              EventLoop& loop, Record record);
  ~NatWatch();
  NatWatch(const NatWatch&) = delete;
  NatWatch& operator=(const NatWatch&) = delete;

  void captured(NatOwners owners);
  /// Once a second: tells what was left out, and lists again where messages were lost.
  void tick();
  /// Tells again of what goes on, for a new file.
  void repeat(const Record& record);
  [[nodiscard]] std::uint64_t netns_inode() const { return netns_inode_; }

 private:
  static constexpr std::size_t kBuffer = 65536;  // larger than any message
  NatWatch(EventLoop& loop, Record record) : loop_(loop), record_(std::move(record)) {}
  void list();
  void hear();
  /// Reads until nothing waits (true) or a turn's share is done.
  bool read(int fd, bool listing);
  void take(const kernel::ConntrackMessage& message, bool listing, std::int64_t now_ns);
  void tell_skipped();

  EventLoop& loop_;
  Record record_;
  UniqueFd events_;
  UniqueFd queries_;
  std::uint64_t netns_inode_ = 0;
  NatLog log_;
  std::vector<char> event_buffer_ = std::vector<char>(kBuffer);
  std::vector<char> list_buffer_ = std::vector<char>(kBuffer);
  std::int64_t empty_ns_ = 0;  // when no event waited, for the last time
  std::int64_t awake_ns_ = 0;  // of this thread, then
  std::int64_t late_ns_ = 0;   // at most so late does it hear now
  std::int64_t list_ns_ = 0;   // when the list was asked for
  std::uint32_t sequence_ = 0;
  bool listing_ = false;
  bool list_again_ = false;
  std::uint64_t overruns_ = 0;
};

}  // namespace podshark::extcap
