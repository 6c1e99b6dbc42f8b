// SPDX-License-Identifier: GPL-2.0-or-later
// What the file tells of connections and of what stands in their way, besides the packets: event records and
// packets that the kernel dropped. Kept so that a flow can be explained by them. Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/flow_records.h"
#include "podman/annotate/codec.h"

namespace podshark::plugin {

/// Something told of a flow, or of a container at one of its ends.
struct Told {
  std::uint32_t frame = 0;
  std::string text;  ///< "drop, NETFILTER_DROP: …"; clean, one line
};

/// What is asked about.
struct FlowSought {
  std::vector<Flow> legs;             ///< each from client to server, ports as its packets have them
  std::vector<std::string_view> ids;  ///< first 12 digits, of the containers at the ends
  std::vector<std::string_view> names;
};

class EventLog {
 public:
  void clear() { entries_.clear(); }
  /// Takes any record but those that only tell of the capture's course. May throw std::bad_alloc.
  void learn(std::uint32_t frame, const annotate::Event& event);
  /// A packet that the kernel dropped; `reason` may be nullptr.
  void learn_dropped(std::uint32_t frame, const Flow& flow, const char* reason);

  /// Records of the same client and service (translations: of the same connection), and those about one of
  /// the containers that name no connection; in frame order.
  [[nodiscard]] std::vector<Told> about(const FlowSought& sought) const;
  /// The connection that the record in this frame tells of, nullptr for none.
  [[nodiscard]] const Flow* flow_of(std::uint32_t frame) const;
  /// The machine it is about, nullptr for where the file was made. Valid until clear().
  [[nodiscard]] const char* host_of(std::uint32_t frame) const;

  /// Entries that are kept; later ones are forgotten.
  static constexpr std::size_t kMost = 20'000;

 private:
  struct Entry {
    std::uint32_t frame = 0;
    bool translation = false;
    Flow flow;
    Flow reply;  // of a translation
    std::string id;
    std::string name;
    std::string text;
    std::string host;  // as interfaces have it
  };
  [[nodiscard]] const Entry* at(std::uint32_t frame) const;
  [[nodiscard]] static bool concerns(const Entry& entry, const FlowSought& sought);

  std::vector<Entry> entries_;  // in frame order
};

}  // namespace podshark::plugin
