// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "extcap/capture/end_match.h"
#include "extcap/naming.h"
#include "podman/annotate/codec.h"
#include "podman/model/inventory.h"
#include "podman/model/link.h"
#include "podman/wire/ring.h"

namespace podshark::extcap {

/// In a capture at both ends, records of packets that one of them has not seen. One thread.
class EndWatch {
 public:
  struct Options {
    bool promiscuous = true;
    bool filtered = false;
    std::uint32_t snaplen = 0;
  };
  using Record = std::function<void(annotate::Event&&)>;
  EndWatch(Options options, Record record) : options_(options), record_(std::move(record)) {}

  /// An interface of the file, before its first packet.
  void opened(std::uint32_t id, const Target& target, const model::Link& link, std::uint16_t linktype,
              const std::string& name);
  void closed(std::uint32_t id);
  /// As podman tells it now.
  void known(const model::Inventory& inventory);
  /// Every captured packet, also copies that the file leaves out.
  void packet(std::uint32_t id, const wire::Packet& packet);
  /// A packet that the kernel has dropped. `ip` from its IP header on.
  void dropped(std::span<const std::uint8_t> ip, std::uint64_t time_ns, const annotate::Event& event);
  /// As Recorder::release().
  void advance(std::uint64_t until_ns);
  /// Once a second, and at the end: writes what was found, unless the capture lost packets meanwhile, of
  /// which `lost` is the total so far. `drops`: drops are watched.
  void tick(std::uint64_t lost, bool drops);
  /// The sources are about to be closed: what they still hand over counts.
  void finish();
  /// They are closed; a last tick() follows.
  void conclude();

 private:
  struct Interface {
    std::string target;
    std::string name;
    End end = End::inside;
    std::uint16_t linktype = 0;
  };
  struct Pair {
    model::Container container;
    EndMatch match;
    std::vector<model::Link> inside, host;  // links
    std::vector<OneSided> found;
    unsigned ends[2] = {0, 0};  // open interfaces
  };
  void set_scene(Pair& pair);
  void tell(const Pair& pair, const OneSided& one, bool drops);
  void summary(const Pair& pair, const char* what, std::uint64_t count, const char* words);

  Options options_;
  Record record_;
  model::Inventory inventory_;
  std::unordered_map<std::uint32_t, Interface> interfaces_;
  std::map<std::string, Pair> pairs_;  // by target value
  std::uint64_t lost_ = 0;
  int lossy_ticks_ = 0;
  bool finishing_ = false;
};

/// What must pass both ends of `container`, captured on these links. Pure.
[[nodiscard]] EndScene end_scene(const model::Container& container, const model::Inventory& inventory,
                                 const std::vector<model::Link>& inside,
                                 const std::vector<model::Link>& host);

}  // namespace podshark::extcap
