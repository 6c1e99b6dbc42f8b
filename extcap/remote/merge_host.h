// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "extcap/remote/clock_watch.h"
#include "extcap/remote/merge_stream.h"
#include "podman/annotate/codec.h"
#include "podman/wire/ring.h"

namespace podshark::extcap::remote {

/// What one capture of several takes in.
struct MergeSource {
  std::string host;                    ///< as the user calls it; empty: this machine
  std::optional<FarHost> far;          ///< whose clock can be asked
  std::vector<std::string> arguments;  ///< for podshark: a capture to its stdout
};

[[nodiscard]] std::string own_host_name();

/// How an interface of another machine is called and described in a file of several. Pure.
[[nodiscard]] std::string interface_name_on(const std::string& name, const std::string& host);
[[nodiscard]] std::string interface_description_on(const std::string& description, const std::string& host,
                                                   const std::optional<annotate::InterfaceClock>& clock);

/// One machine of such a capture: its stream, with its clock turned into ours, and its inventory. On an event
/// loop, which must outlive it.
class MergeHost {
 public:
  struct Hooks {
    std::function<void()> begun;                                         ///< its stream is there
    std::function<std::uint32_t(const wire::InterfaceInfo&)> interface;  ///< its number in our file
    /// A packet of that interface at our time.
    std::function<void(std::uint32_t id, std::uint64_t time_ns, const PcapngFeed::Packet&)> packet;
    /// One that it dropped, and what is said about it.
    std::function<void(std::uint32_t id, const wire::Packet&, const std::string& comment,
                       const std::string& json)>
        dropped;
    std::function<void(annotate::MovedEvent&&)> event;               ///< its own, or about its clock
    std::function<void()> inventory;                                 ///< there is a new one
    std::function<void(const wire::InterfaceCounters&)> statistics;  ///< in our numbers and time
    std::function<void(const std::string&)> line;                    ///< one that its podshark wrote
    std::function<void(const std::string&)> notice;                  ///< of ours, for people
    /// Nothing more comes; the last call, which must not destroy the object.
    std::function<void(Result<int>)> ended;
  };
  /// `named`: its interfaces and records carry its name, since there are others.
  MergeHost(EventLoop& loop, MergeSource source, bool named, Hooks hooks)
      : loop_(loop), source_(std::move(source)), named_(named), hooks_(std::move(hooks)) {}

  [[nodiscard]] Status start();
  /// Once it has taken too long: goes on without knowing its clock for now.
  void wait_no_longer() { decide(); }
  void pause(bool paused);
  void stop();

  /// For people: of this machine its own name.
  [[nodiscard]] std::string name() const;
  /// In records and interfaces; empty for this machine, and where there is no other.
  [[nodiscard]] std::string host() const { return named_ ? source_.host : std::string(); }
  /// Containers named with their host.
  [[nodiscard]] const model::Inventory& inventory() const { return inventory_; }

 private:
  void on_interface(const PcapngFeed::Interface& interface);
  void on_packet(const PcapngFeed::Packet& packet);
  void on_record(const PcapngFeed::Packet& packet);
  [[nodiscard]] Result<annotate::MovedRecord> moved(std::string_view json);
  void take_inventory(annotate::InventoryPart&& part);
  void on_statistics(wire::InterfaceCounters counters);
  void on_clock(const ClockOffset& estimate, std::int64_t there_ns);
  void on_no_clock(const Error& error);
  void tell_no_clock();
  void tell_clock(const char* what, const std::string& detail);
  void on_begun();
  void decide();
  void resume();
  [[nodiscard]] std::uint64_t here(std::uint64_t time_ns);

  EventLoop& loop_;
  MergeSource source_;
  bool named_;
  Hooks hooks_;
  std::unique_ptr<ClockWatch> clock_;
  ClockCorrection correction_;
  std::optional<annotate::InterfaceClock> known_;
  std::unique_ptr<MergeStream> stream_;
  std::vector<std::int64_t> numbers_;  // ours of its interfaces; -1: its records
  annotate::InventoryPart pending_;    // of parts that have come
  unsigned have_ = 0;
  model::Inventory inventory_;
  std::optional<Error> no_clock_;  // not told yet: with the machine itself gone nobody wants to hear of it
  bool begun_ = false;
  bool decided_ = false;
  bool paused_ = false;
};

}  // namespace podshark::extcap::remote
