// SPDX-License-Identifier: GPL-2.0-or-later
// What one capture file says about its packets: address, interface and frame number → container name, from
// the inventory records; where a packet was captured, and which other record holds the same packet. Pure; one
// thread. Nothing here throws, whatever a record holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "plugin/copies.h"
#include "plugin/event_log.h"
#include "plugin/flow_records.h"
#include "plugin/one_sided.h"
#include "plugin/snapshot.h"
#include "podman/annotate/codec.h"

namespace podshark::plugin {

/// Who talks to whom. Strings are valid until Index::clear().
struct Ends {
  Who src;
  Who dst;
  std::uint16_t published = 0;  ///< the host's port that leads, or led, to the container's port; 0 for none
  const Translation* nat = nullptr;
  const char* probe = nullptr;
};

/// What the kernel said about a dropped packet; each may be nullptr. Valid until Index::clear().
struct DropWords {
  const char* reason = nullptr;
  const char* function = nullptr;
  const char* hook = nullptr;
};

/// What is said about a packet.
struct Facts {
  Ends ends;
  Point point = Point::unknown;
  std::uint32_t original = 0;  ///< the frame that has the same packet from another point, 0 for none
  DropWords drop;
  bool dropped = false;
  std::uint32_t one_sided = 0;  ///< the record that tells that only one end has seen it, 0 for none
  const char* host = nullptr;   ///< machine it was captured on, in a file of several

  [[nodiscard]] bool any() const {
    return ends.src.name != nullptr || ends.dst.name != nullptr || point != Point::unknown ||
           host != nullptr || ends.published != 0 || ends.nat != nullptr || ends.probe != nullptr || dropped;
  }
};

/// Which ends have a port that the host publishes.
struct Serving {
  bool src = false;
  bool dst = false;
};

/// An address, and under which name Wireshark shows it: of several owners in turn, all ("web|db").
struct ResolvedName {
  Address address;
  std::string name;
};

/// Where a packet was captured: section and interface number of the file, as one key.
[[nodiscard]] constexpr std::uint64_t interface_key(std::uint32_t section, std::uint32_t id) {
  return (std::uint64_t{section} << 32U) | id;
}

class Index {
 public:
  /// Forgets everything: another file follows.
  void clear() noexcept;

  /// Takes one event record of the interface `key`; what is malformed is ignored. An inventory in parts
  /// counts from the frame of its last part on; with a part missing it does not count.
  void learn(std::uint32_t frame, std::uint64_t key, std::string_view json) noexcept;
  /// No inventory yet.
  [[nodiscard]] bool empty() const noexcept { return snapshots_.empty(); }
  /// No inventory, and none was looked for outside of the file.
  [[nodiscard]] bool wants_outside() const noexcept { return ask_outside_ && snapshots_.empty(); }
  void stop_asking() noexcept { ask_outside_ = false; }
  /// An inventory from elsewhere, as if a record in this frame had it.
  void learn_outside(std::uint32_t frame, model::Inventory&& inventory) noexcept;
  /// Takes a DNS answer (UDP payload). Its names count in files without an inventory.
  void learn_dns(std::uint32_t frame, const std::uint8_t* payload, std::size_t size) noexcept;
  /// Names that became known since forget_resolved().
  [[nodiscard]] const std::vector<ResolvedName>& resolved() const noexcept { return resolved_; }
  void forget_resolved() noexcept { resolved_.clear(); }

  /// False when set_interface() has to be called once before ends() is asked about this interface.
  [[nodiscard]] bool knows_interface(std::uint64_t key) const noexcept {
    return last_ != nullptr && last_key_ == key ? true : interfaces_.count(key) > 0;
  }
  /// Name and description as the file has them, nullptr for none.
  void set_interface(std::uint64_t key, const char* name, const char* description) noexcept;

  /// The file may hold packets twice: it has an interface of the host's side, of dropped packets, or of
  /// another machine.
  [[nodiscard]] bool may_repeat() const noexcept { return repeats_; }
  /// Where the packets of an interface were captured; set_interface() comes first.
  [[nodiscard]] Point point(std::uint64_t key) noexcept;
  /// The machine that it is on, nullptr in a file of one. Valid until clear().
  [[nodiscard]] const char* host(std::uint64_t key) noexcept;
  /// Packets of this interface were dropped by the kernel; what it said about one is in a custom option.
  [[nodiscard]] bool holds_drops(std::uint64_t key) noexcept;
  /// True once such an interface is known.
  [[nodiscard]] bool has_drops() const noexcept { return drops_; }
  /// Takes a packet of one.
  void learn_dropped(std::uint32_t frame, const Flow& flow, const char* reason) noexcept;
  /// What such an option says.
  [[nodiscard]] DropWords drop_words(std::string_view json) noexcept;

  /// There may be connections of two legs: learn_flow() has to be called. What programs forward, for rootless
  /// containers only, is told after its first packets.
  [[nodiscard]] bool has_legs() const noexcept { return legs_ || (rootless_ && host_side_); }
  /// Takes the ends of any packet, in frame order.
  void learn_flow(std::uint32_t frame, std::uint64_t key, const Flow& flow) noexcept;
  /// A packet of the same connection on the other side of its translation, 0 for none.
  [[nodiscard]] std::uint32_t other_leg(std::uint32_t frame, std::uint64_t key, const Flow& flow) noexcept {
    return flows_.other_leg(frame, flow, machine(key));
  }
  /// Takes a packet of an interface of ours (others are ignored), in frame order.
  void learn_packet(std::uint32_t frame, std::uint64_t key, std::int64_t time_ns, const std::uint8_t* packet,
                    std::size_t size) noexcept;
  /// The earlier frame that holds this packet as another point saw it, 0 for none.
  [[nodiscard]] std::uint32_t original(std::uint32_t frame) const noexcept { return copies_.original(frame); }

  /// Who talks to whom in this frame. Frames before the first inventory use the first.
  [[nodiscard]] Ends ends(std::uint32_t frame, std::uint64_t key, const Flow& flow) noexcept;

  /// The record that tells that only one end has seen this packet, and back; 0 for none.
  [[nodiscard]] std::uint32_t one_sided_record(std::uint32_t packet) const noexcept {
    return one_sided_.record(packet);
  }
  [[nodiscard]] std::uint32_t one_sided_packet(std::uint32_t record) const noexcept {
    return one_sided_.packet(record);
  }

  // For the menu, about the one packet it is chosen for.
  [[nodiscard]] Serving serving(std::uint32_t frame, std::uint64_t key, const Flow& flow) noexcept;
  [[nodiscard]] Heading heading(std::uint32_t frame, std::uint64_t key, const Flow& flow) noexcept {
    return flows_.heading(frame, flow, machine(key));
  }
  /// In this frame exactly one running container has the name.
  [[nodiscard]] bool sole(std::uint32_t frame, const char* name) const noexcept;
  [[nodiscard]] const EventLog& events() const noexcept { return events_; }

 private:
  static constexpr std::size_t kNoSource = ~std::size_t{0};
  struct Interface {
    InterfaceIdentity identity;
    const Snapshot* local_for = nullptr;  // `local` was found in this one
    LocalEnd local;
    std::size_t source = kNoSource;
    std::size_t searched = 0;  // as many of snapshots_ do not know it
    unsigned ordinal = 0;
    unsigned machine = 0;
    const char* host = nullptr;
  };
  // A machine whose inventories are in the file. Of several that know nothing of each other, as when
  // Wireshark captures on two at once or files were merged, each tells of its own interfaces only: addresses
  // are used anew on every machine.
  struct Source {
    std::string host;
    std::vector<const Snapshot*> snapshots;  // by frame
    model::Inventory newest;                 // what the last of them was made from
  };
  struct Taken {
    std::unique_ptr<Snapshot> snapshot;
    std::size_t source = 0;
  };
  struct Pending {
    model::Inventory inventory;
    unsigned have = 0;
    unsigned parts = 0;
  };

  struct DnsEntry {
    std::uint32_t frame = 0;
    const char* name = nullptr;
  };

  void resolve(const Address& address, const char* name);
  [[nodiscard]] const char* dns_name(std::uint32_t frame, const Address& address) const;
  void add_part(std::uint32_t frame, std::uint64_t key, annotate::InventoryPart&& part);
  void publish(std::uint32_t frame, model::Inventory&& inventory);
  [[nodiscard]] static const Snapshot* snapshot_of(const Source& source, std::uint32_t frame);
  /// nullptr: none tells of this interface.
  [[nodiscard]] const Snapshot* snapshot_at(std::uint32_t frame, std::uint64_t key);
  [[nodiscard]] static std::uint16_t published(const Snapshot& snapshot, const LocalEnd& local,
                                               std::uint32_t src, std::uint32_t dst, const Flow& flow);
  [[nodiscard]] LocalEnd local_end(const Snapshot& snapshot, std::uint64_t key);
  [[nodiscard]] Interface* find_interface(std::uint64_t key);
  [[nodiscard]] unsigned machine_called(const std::string& host);
  [[nodiscard]] unsigned machine(std::uint64_t key) noexcept;

  NamePool pool_;
  std::unordered_map<std::string, unsigned> machines_;  // numbers, from 1 on
  std::vector<Taken> snapshots_;                        // by frame
  std::vector<Source> sources_;
  std::map<std::uint64_t, Pending> pending_;  // several captures may run into one file
  std::unordered_map<std::uint64_t, Interface> interfaces_;
  std::uint64_t last_key_ = 0;
  Interface* last_ = nullptr;
  bool repeats_ = false;
  bool legs_ = false;
  bool rootless_ = false;
  bool host_side_ = false;
  bool drops_ = false;
  bool ask_outside_ = true;
  Copies copies_;
  OneSided one_sided_;
  FlowRecords flows_;
  EventLog events_;
  std::unordered_map<Address, std::vector<DnsEntry>, AddressHash> dns_names_;  // each in frame order
  std::unordered_map<Address, std::vector<const char*>, AddressHash> owners_;  // names an address has had
  std::vector<ResolvedName> resolved_;
};

}  // namespace podshark::plugin
