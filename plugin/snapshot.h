// SPDX-License-Identifier: GPL-2.0-or-later
// One inventory, prepared for look-ups: which network namespace owns an address, and how it is called. Pure.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "plugin/address.h"
#include "podman/model/inventory.h"

namespace podshark::plugin {

/// A container as it is shown, as far as known; of nobody all is nullptr. The strings are in a NamePool.
struct Who {
  const char* name = nullptr;     ///< of the container; of its pod, when that made the network namespace
  const char* id = nullptr;       ///< its first 12 digits
  const char* image = nullptr;    ///< nullptr also for infra containers, whose image says nothing
  const char* pod = nullptr;      ///< name of the pod it is in
  const char* network = nullptr;  ///< podman network that the packet's address is in
};

/// Names made safe for display, each stored once; pointers stay valid until clear().
class NamePool {
 public:
  /// Cut to kMaxName bytes. nullptr for an empty name.
  [[nodiscard]] const char* intern(const std::string& name);
  void clear() { names_.clear(); }

  static constexpr std::size_t kMaxName = 255;

 private:
  std::unordered_set<std::string> names_;
};

/// Which end of a container's link a packet was captured at; unknown also for interfaces not ours.
enum class Point : std::uint8_t { unknown, inside, host };

/// What an interface says about itself: "podman:web/eth0" and the description of docs/FORMAT.md.
struct InterfaceIdentity {
  std::string stem;   ///< "web", "pod/shop"; empty: not one of ours
  std::string id;     ///< first 12 digits of the container's id; empty when the description lacks it
  std::string host;   ///< machine it is on, in a capture of several; empty: where the file was made
  bool root = false;  ///< "podman-root:"
  Point point = Point::unknown;
  bool drops = false;  ///< ".../drops": what it holds are packets that the kernel threw away
};
[[nodiscard]] InterfaceIdentity interface_identity(std::string_view name, std::string_view description);
/// A machine's name as descriptions of interfaces have it, which is one word.
[[nodiscard]] std::string interface_host(const std::string& host);

inline constexpr std::uint32_t kNobody = 0xFFFFFFFF;

/// The end of the wire an interface belongs to.
struct LocalEnd {
  std::uint32_t holder = kNobody;
  Who who;
  Point point = Point::unknown;
  std::string host = {};  ///< as the interface has it
};

/// Who has an address.
struct Owner {
  std::uint32_t holder = kNobody;
  Who who;
};

/// Containers sharing a network namespace are one holder of addresses. It is called like the container that
/// made the namespace; a pod's infra container is called like its pod. Stopped containers hold nothing.
class Snapshot {
 public:
  /// Containers of an inventory; what has more is no inventory of ours.
  static constexpr std::size_t kMostContainers = 20'000;
  /// Holders of one address that are told apart; an address of more is only its own holder's, on the holder's
  /// own interface.
  static constexpr std::uint32_t kMostClaims = 256;

  /// `names` must outlive the snapshot. `frame` is the one from which on it is valid. Takes time in
  /// proportion to the inventory, whoever wrote it.
  Snapshot(std::uint32_t frame, const model::Inventory& inventory, NamePool& names);

  [[nodiscard]] std::uint32_t frame() const { return frame_; }
  /// The container of an interface: by id, else by a name that is unique.
  [[nodiscard]] LocalEnd local_end(const InterfaceIdentity& interface, NamePool& names) const;
  /// Who has the address, seen from `local` (holder kNobody: from nowhere in particular). What belongs to the
  /// local end is its; containers of its host come before those of others; an address that several others
  /// could have is nobody's.
  [[nodiscard]] Owner owner_of(const Address& address, const LocalEnd& local) const;
  /// How many running containers have this name.
  [[nodiscard]] std::size_t called(std::string_view name) const;
  /// The host's port that leads to a port of this holder; 0 for none. `protocol`: IPPROTO_*.
  [[nodiscard]] std::uint16_t published_as(std::uint32_t holder, std::uint8_t protocol,
                                           std::uint16_t container_port) const;
  /// `host_port` when it leads to this holder, else 0.
  [[nodiscard]] std::uint16_t published_on(std::uint32_t holder, std::uint8_t protocol,
                                           std::uint16_t host_port) const;
  /// Calls f(address, name) for each address that has a name outside of its own interface, IPv4 and IPv6.
  template <typename F>
  void each_named_address(F f) const {
    for (const auto& [address, claims] : by_address_) {
      const Owner owner = owner_of(address, {});
      if (address.length != 6 && owner.who.name != nullptr) f(address, owner.who.name);
    }
  }

 private:
  // Reach of a holder's addresses. slirp4netns containers all have 10.0.2.100, pasta ones the host's address:
  // such an address means the container only on its own interface.
  enum class Reach : std::uint8_t { nowhere, own_interface, user, everywhere };
  struct Port {
    std::uint16_t host = 0;
    std::uint16_t container = 0;
    std::uint16_t range = 1;
    std::uint8_t protocol = 0;  // IPPROTO_*
  };
  struct Holder {
    Who who;
    std::string host;
    uid_t owner = 0;
    Reach reach = Reach::nowhere;
    std::vector<Port> ports;
  };
  struct Member {
    std::string id;
    std::string name;
    std::uint32_t holder = 0;
    bool rootless = false;
    Who who;
    std::string host;
  };
  struct Claim {
    std::uint32_t holder = 0;
    std::uint32_t next = kNobody;  ///< next claim on the same address
    const char* network = nullptr;
  };
  struct Claims {
    std::uint32_t first = kNobody;
    std::uint32_t count = 0;
  };
  struct OwnAddress {
    Address address;
    std::uint32_t holder = 0;
    bool operator==(const OwnAddress&) const = default;
  };
  struct OwnAddressHash {
    std::size_t operator()(const OwnAddress& own) const {
      return AddressHash()(own.address) ^ (own.holder * 0x9E3779B97F4A7C15ULL);
    }
  };
  class Lookup;  // the inventory by ids

  void add_members(const Lookup& inventory, NamePool& names);
  [[nodiscard]] std::uint32_t shared_holder(const Lookup& inventory, const model::Container& container) const;
  void add_addresses(const model::Container& container, std::uint32_t holder, NamePool& names);
  void add_ports(const model::Container& container, std::uint32_t holder);
  void claim(const Address& address, std::uint32_t holder, const char* network);
  [[nodiscard]] const Member* find_member(const InterfaceIdentity& interface, bool on_host) const;
  [[nodiscard]] static Reach reach_of(const model::Container& container);

  std::uint32_t frame_;
  std::vector<Holder> holders_;
  std::vector<Member> members_;
  std::map<std::pair<std::string, std::uint64_t>, std::uint32_t>
      by_netns_;                                          // host and inode → holder, while building
  std::unordered_map<std::string, std::uint32_t> by_id_;  // container id → holder
  std::unordered_map<OwnAddress, const char*, OwnAddressHash> own_;  // the network of each holder's addresses
  std::unordered_map<Address, Claims, AddressHash> by_address_;      // those that others can reach
  std::vector<Claim> claims_;
};

}  // namespace podshark::plugin
