// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "extcap/capture/event_loop.h"
#include "extcap/capture/filter.h"
#include "extcap/capture/recorder.h"
#include "extcap/capture/source.h"
#include "extcap/worker_client.h"
#include "podman/model/link.h"
#include "podman/wire/ring.h"

namespace podshark::extcap {

struct LinkOptions {
  std::vector<std::string> links;  ///< names to capture; empty: all
  std::string filter;              ///< libpcap syntax
  std::uint32_t snaplen = 262144;
  bool promiscuous = true;
  std::size_t ring_bytes = 8U << 20U;  ///< kernel memory per link
};

/// All captured links of one network namespace. Follows links that appear and vanish (rtnetlink) and notices
/// when the container's first process ends (pidfd); the namespace is never entered by this process itself.
class NetnsCapture final : public Source {
 public:
  /// Opens the namespace, declares its interfaces and starts capturing. Wrong link names, a bad filter, a
  /// container that is gone or not permitted are errors; nothing stays behind then.
  [[nodiscard]] static Result<std::unique_ptr<NetnsCapture>> open(const Target& target,
                                                                  const LinkOptions& options,
                                                                  WorkerClient& worker, EventLoop& loop,
                                                                  Recorder& recorder, SourceHooks hooks);
  ~NetnsCapture() override;
  NetnsCapture(const NetnsCapture&) = delete;
  NetnsCapture& operator=(const NetnsCapture&) = delete;

  [[nodiscard]] const Target& target() const override { return target_; }
  [[nodiscard]] bool ended() const override { return ended_; }

  /// The kernel hands a partly filled block over after the ring's retire time: until then the newest packets
  /// are not ours. Call once before closing any number of captures.
  static void wait_for_last_blocks();
  void pause(bool paused) override;
  void close() override;
  void add_statistics(annotate::Event& event) override;
  [[nodiscard]] std::uint64_t complete_until(std::uint64_t now_ns) const override;

 private:
  struct LinkRing;
  NetnsCapture(Target target, LinkOptions options, WorkerClient& worker, EventLoop& loop, Recorder& recorder,
               SourceHooks hooks);
  [[nodiscard]] Status start();
  [[nodiscard]] Status attach_links();
  [[nodiscard]] Status attach(const model::Link& link, wire::LinkEncoding encoding, UniqueFd socket);
  [[nodiscard]] Result<std::vector<model::Link>> wanted_links();
  void on_links_changed();
  void on_process_ended();
  void take_packets(LinkRing& ring, std::size_t most);
  void close_ring(LinkRing& ring);
  void report(const std::string& what, const std::string& link, const std::string& detail);

  Target target_;
  LinkOptions options_;
  WorkerClient& worker_;
  EventLoop& loop_;
  Recorder& recorder_;
  SourceHooks hooks_;
  UniqueFd queries_;  // rtnetlink: questions
  UniqueFd changes_;  // rtnetlink: link and address changes
  UniqueFd pidfd_;
  std::uint64_t netns_inode_ = 0;
  std::vector<std::unique_ptr<LinkRing>> rings_;
  bool started_ = false;
  bool paused_ = false;
  bool ended_ = false;
};

}  // namespace podshark::extcap
