// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "podman/annotate/codec.h"
#include "podman/core/ip_address.h"
#include "podman/model/connection.h"

namespace podshark::extcap {

struct NatOwner {
  std::string id;
  std::string name;
  bool operator==(const NatOwner&) const = default;
};
/// Addresses of captured containers.
using NatOwners = std::map<IpAddress, NatOwner>;

/// Decides which of a namespace's tracked connections are told, as `nat` records: translated ones of captured
/// containers, each once, and not more in a second than a reader can use. Pure.
class NatLog {
 public:
  /// True when an address is new: connections of it may have been passed over.
  bool set_owners(NatOwners owners);

  /// A connection that begins now, or (`listed`) is there already; nothing when it is not to be told.
  /// `now_ns` is for the limit.
  [[nodiscard]] std::optional<annotate::Event> begun(const model::Conntrack& c, bool listed,
                                                     std::int64_t now_ns);
  /// Nothing when its begin was not told.
  [[nodiscard]] std::optional<annotate::Event> ended(const model::Conntrack& c);

  /// A list of all connections begins: of those told before, what it lacks has ended unheard of.
  void list_begins();
  void list_ends();

  /// Those that were told and have not ended, as `seen`: for a reader who has not got the records before; at
  /// most kBurst.
  [[nodiscard]] std::vector<annotate::Event> open_ones() const;

  /// How many were left out since the last call because they were too many.
  [[nodiscard]] std::uint64_t take_skipped();

  static constexpr std::uint64_t kPerSecond = 1000;  ///< records of connections that begin
  static constexpr std::uint64_t kBurst = 5000;      ///< … at once, and of those in one list
  static constexpr std::size_t kMostOpen = 65536;

 private:
  struct Told {
    model::Conntrack connection;
    NatOwner owner;
    unsigned generation = 0;
  };
  [[nodiscard]] const NatOwner* owner_of(const model::Conntrack& c) const;
  [[nodiscard]] bool allowed(std::int64_t now_ns);

  NatOwners owners_;
  std::map<std::uint32_t, Told> open_;  // by the kernel's id
  unsigned generation_ = 0;
  std::uint64_t left_ = kBurst;
  std::uint64_t list_left_ = kBurst;
  std::int64_t counted_from_ns_ = 0;
  std::uint64_t skipped_ = 0;
};

/// The record of a connection; `what` happened to it. Its protocol is one that the format has a word for.
[[nodiscard]] annotate::Event nat_record(const model::Conntrack& c, const NatOwner& owner, const char* what);

/// "tcp 203.0.113.2:40000 → 203.0.113.1:8080 goes to 10.88.0.2:80", "… leaves as 203.0.113.1:40000". Pure.
[[nodiscard]] std::string translation_text(const model::Conntrack& c);

}  // namespace podshark::extcap
