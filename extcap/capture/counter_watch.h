// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "extcap/capture/source.h"
#include "podman/drops/counters.h"

namespace podshark::extcap {

/// Losses that the kernel counts and shows nobody, in the namespaces of captured containers and on the host:
/// `drop` records without a packet.
class CounterWatch {
 public:
  explicit CounterWatch(std::function<void(const annotate::Event&)> record) : record_(std::move(record)) {}

  /// Reads the counters of everybody who is captured; what they have gained since the last call is told.
  /// `events`: the BPF program sees what it can see.
  void sample(const std::vector<std::unique_ptr<Source>>& sources, bool events);

 private:
  struct Seen {
    pid_t pid = 0;
    std::uint64_t pid_start = 0;
    drops::Counters counters;
  };
  std::function<void(const annotate::Event&)> record_;
  void tell(const drops::Counters& before, const drops::Counters& now, const model::Container* c,
            bool events);
  std::map<std::string, Seen> seen_;  // by target value
  drops::Counters host_;              // what all containers share
  std::size_t turn_ = 0;
};

}  // namespace podshark::extcap
