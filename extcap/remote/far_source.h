// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "extcap/capture/filter.h"
#include "extcap/capture/pcap_reader.h"
#include "extcap/capture/recorder.h"
#include "extcap/capture/stream_plan.h"
#include "extcap/remote/channel.h"
#include "extcap/remote/pcapng_feed.h"

namespace podshark::extcap::remote {

/// One target on a machine without podshark, or in a pod of Kubernetes: a chain of scripts there, one after
/// the other until one delivers packets, as pcap (tcpdump, dumpcap) or pcapng (podshark-agent). One thread;
/// the caller polls.
class FarSource {
 public:
  using Clock = std::chrono::steady_clock;
  struct Hooks {
    std::function<bool(std::uint32_t id, const wire::Packet&)> packet;  ///< false: enough
    std::function<void(const char* what, const std::string& detail)> report;
  };
  /// How a step is run there.
  using MakeLine = std::function<Line(const StreamWays::Step&, const Target&)>;

  FarSource(Target target, std::unique_ptr<StreamWays> ways, std::string why_not, MakeLine line,
            Recorder& recorder, Hooks hooks);
  FarSource(const FarSource&) = delete;
  FarSource& operator=(const FarSource&) = delete;

  /// The first step, or, once retry_at() has come, the one that was refused.
  [[nodiscard]] Status start();
  [[nodiscard]] const Target& target() const { return target_; }
  /// Its connection is being made: a server takes only so many at once.
  [[nodiscard]] bool connecting() const { return channel_ && !channel_->began(); }
  [[nodiscard]] bool running() const { return channel_ != nullptr; }
  /// Not begun yet, or to be begun again at this time.
  [[nodiscard]] std::optional<Clock::time_point> retry_at() const { return retry_at_; }
  /// A link of it has been captured.
  [[nodiscard]] bool attached() const { return !interfaces_.empty(); }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

  [[nodiscard]] int out() const { return channel_ ? channel_->out() : -1; }
  [[nodiscard]] int errors() const { return channel_ ? channel_->errors() : -1; }
  void read_output();
  void read_errors();
  /// At least every Channel::kBeat. `reading`: what comes has been read all the time; silence then is an end.
  void beat(bool reading);
  /// It shall end; what comes until then is taken.
  void end();
  /// Writes the closing statistics; whatever runs is cut off.
  void close();

  void add_statistics(annotate::Event& event) const;
  /// Its packets come in order of time.
  [[nodiscard]] bool ordered() const { return !feed_; }

 private:
  struct Interface {
    std::uint32_t id = 0;
    std::string name;
    std::optional<Filter> filter;  // where the far side could not
    std::uint64_t start_ns = 0;
    std::uint64_t received = 0;
    std::uint64_t dropped = 0;
  };
  [[nodiscard]] Status run(StreamWays::Step step);
  void take(std::span<const std::uint8_t> bytes);
  void take_pcap(std::span<const std::uint8_t> bytes);
  void open_feed();
  Interface& declare(std::uint32_t number, const std::string& name, std::uint16_t linktype,
                     std::uint32_t snaplen, const model::Link& link);
  void packet(Interface& interface, const wire::Packet& packet);
  void step_ended();
  void fail(Error error);

  Target target_;
  std::string who_;  // it, for people
  std::unique_ptr<StreamWays> ways_;
  std::string why_not_;
  MakeLine line_;
  Recorder& recorder_;
  Hooks hooks_;
  StreamWays::Step step_;
  std::unique_ptr<Channel> channel_;
  std::string errors_;  // the step's stderr, its last part
  std::string head_;    // its first bytes, until they tell the format
  std::unique_ptr<PcapReader> reader_;
  std::unique_ptr<PcapngFeed> feed_;
  std::map<std::uint32_t, Interface> interfaces_;  // by their number in the stream
  std::optional<Error> failure_;
  std::optional<Error> broken_;
  std::optional<Clock::time_point> retry_at_;
  unsigned tries_ = 0;
  std::uint64_t received_ = 0;
  bool ending_ = false;
  bool enough_ = false;
  bool ended_ = false;
  bool closed_ = false;
};

}  // namespace podshark::extcap::remote
