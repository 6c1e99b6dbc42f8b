// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "extcap/capture/event_loop.h"
#include "extcap/capture/pcap_reader.h"
#include "extcap/capture/recorder.h"
#include "extcap/capture/source.h"
#include "extcap/capture/stream_plan.h"
#include "podman/core/process.h"
#include "podman/discover/proc_net.h"

namespace podshark::extcap {

/// One link of a target (or all as "any") through a capture program, whose pcap stream becomes an interface
/// like any other. The program runs under a lease: it ends with us, however we end. Ways that fail before
/// the first packet are followed by those that the plan knows.
class StreamSource final : public Source {
 public:
  /// Starts the first step and returns at once: the interface is declared when the stream begins; what fails
  /// later is failure(). The container must be the one that was selected, else ErrorKind::gone.
  [[nodiscard]] static Result<std::unique_ptr<StreamSource>> open(const Target& target, StreamPlan plan,
                                                                  EventLoop& loop, Recorder& recorder,
                                                                  SourceHooks hooks);
  ~StreamSource() override;
  StreamSource(const StreamSource&) = delete;
  StreamSource& operator=(const StreamSource&) = delete;

  [[nodiscard]] const Target& target() const override { return target_; }
  [[nodiscard]] bool ended() const override { return ended_; }
  [[nodiscard]] std::uint64_t since_ns() const override { return opened_ns_; }
  [[nodiscard]] std::optional<Error> failure() const override { return failure_; }
  [[nodiscard]] std::string preparing() const override { return declared_ ? "" : step_.words; }
  void pause(bool paused) override;
  void ending() override;
  void close() override;
  void add_statistics(annotate::Event& event) override;
  void add_traffic(std::vector<LinkTraffic>& links) override;
  [[nodiscard]] std::uint64_t complete_until(std::uint64_t now_ns) const override;

 private:
  StreamSource(Target target, StreamPlan plan, EventLoop& loop, Recorder& recorder, SourceHooks hooks);
  [[nodiscard]] Status start();
  [[nodiscard]] Status run(StreamPlan::Step step);
  void declare();
  [[nodiscard]] std::string link_name() const;
  [[nodiscard]] pid_t counted_pid() const;
  void watch_output();
  void on_output();
  void on_errors();
  void on_child_ended();
  void on_container_ended();
  void step_ended(int exit_code);
  [[nodiscard]] bool read_some(int most_reads);
  [[nodiscard]] bool take_packets();
  [[nodiscard]] bool container_gone(std::chrono::milliseconds grace) const;
  void wait_for_the_end();
  void stop_watching();
  void fail(Error error);
  void report(const std::string& what, const std::string& detail);

  Target target_;
  StreamPlan plan_;
  EventLoop& loop_;
  Recorder& recorder_;
  SourceHooks hooks_;
  UniqueFd pidfd_;  // of the container's first process
  StreamPlan::Step step_;
  Child child_;
  PcapReader reader_;
  std::vector<discover::DevCounter> before_;  // what the links had carried when the stream began
  std::string errors_;                        // the step's stderr, its last part
  std::optional<Error> failure_;
  std::optional<Error> broken_;            // the stream is no pcap
  std::optional<std::uint16_t> declared_;  // link type of id_
  std::uint32_t id_ = 0;
  std::uint64_t opened_ns_ = 0;
  std::uint64_t start_ns_ = 0;
  std::uint64_t last_ns_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t dropped_ = 0;
  bool output_watched_ = false;
  bool paused_ = false;
  bool end_waits_ = false;  // the child ended while paused
  bool closed_ = false;
  bool ended_ = false;
};

}  // namespace podshark::extcap
