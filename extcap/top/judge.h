// SPDX-License-Identifier: GPL-2.0-or-later
// From readings of counters to a report. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "extcap/naming.h"
#include "extcap/top/report.h"
#include "podman/kernel/link_counters.h"
#include "podman/kernel/protocol_counters.h"
#include "podman/model/inventory.h"

namespace podshark::extcap::top {

/// Everything counted in one namespace at one moment.
struct Reading {
  std::int64_t monotonic_ns = 0;
  std::vector<kernel::LinkCounters> links;
  std::optional<kernel::ProtocolCounters> protocols;  ///< nothing: /proc does not show it
  std::optional<std::uint64_t> connections;
};

/// One namespace between two readings.
struct Measured {
  Target target;
  Reading before;
  Reading after;
  PeerSums peers;
  std::uint64_t unseen_packets = 0;
  bool ended = false;
  std::string problem;  ///< one line, empty without
};

/// Names for addresses as seen from a container: containers of the same podman (rootful, or one user's) that
/// are running, and the gateway. An address that several hold (every slirp4netns container is 10.0.2.100) has
/// no name.
class AddressBook {
 public:
  explicit AddressBook(const model::Inventory& inventory);
  [[nodiscard]] std::string name(const IpAddress& address, const model::Container& seen_from) const;

 private:
  using World = std::pair<bool, uid_t>;  // rootless, owner
  std::map<std::pair<World, IpAddress>, std::string> names_;
};

/// At most `max_peers` peers; the rest is in `others`. `since_start` is left to the caller.
[[nodiscard]] Entry judge(Measured&& measured, const model::Inventory& inventory, const AddressBook& book,
                          std::size_t max_peers);

/// Sums by pod, ascending by name; a namespace counts once however many members share it.
[[nodiscard]] std::vector<PodRow> sum_pods(const std::vector<Entry>& entries);

/// Orders of the table; `name` ascends, everything else descends.
enum class Sort { rate, rx, tx, lo, packets, drops, retransmits, connections, name };
[[nodiscard]] std::optional<Sort> sort_by_name(const std::string& text);
[[nodiscard]] const char* to_string(Sort sort);
[[nodiscard]] Sort next(Sort sort);
/// "rate|rx|…" for messages and --help.
[[nodiscard]] std::string sort_names();
void sort_entries(std::vector<Entry>& entries, Sort sort);

}  // namespace podshark::extcap::top
