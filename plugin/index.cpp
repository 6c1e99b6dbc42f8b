// SPDX-License-Identifier: GPL-2.0-or-later
// Each inventory that differs from the one before becomes a Snapshot, valid from its frame to the next one's.
// Learning happens once, in frame order; look-ups come in any order afterwards and give the same answers.
// Exceptions (only memory can be missing here) end at the public functions: a name less, never a crash.
#include "plugin/index.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

namespace podshark::plugin {
namespace {

template <typename T>
void append(std::vector<T>& to, std::vector<T>&& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

void Index::clear() noexcept {
  last_ = nullptr;
  interfaces_.clear();
  pending_.clear();
  snapshots_.clear();
  newest_ = {};
  host_side_ = false;
  copies_.clear();
  pool_.clear();
}

void Index::learn(std::uint32_t frame, std::uint64_t key, std::string_view json) noexcept {
  try {
    Result<annotate::InventoryPart> part = annotate::decode_inventory(json);
    if (part) add_part(frame, key, std::move(*part));
  } catch (const std::exception&) {
    pending_.erase(key);
  }
}

void Index::add_part(std::uint32_t frame, std::uint64_t key, annotate::InventoryPart&& part) {
  if (part.parts <= 1) {
    publish(frame, std::move(part.inventory));
    return;
  }
  Pending& pending = pending_[key];
  if (part.part == 1) {
    pending = {std::move(part.inventory), 1, part.parts};
    return;
  }
  const bool follows = part.part == pending.have + 1 && part.parts == pending.parts &&
                       part.inventory.time_ns == pending.inventory.time_ns;
  if (!follows) {
    pending_.erase(key);
    return;
  }
  append(pending.inventory.containers, std::move(part.inventory.containers));
  append(pending.inventory.pods, std::move(part.inventory.pods));
  append(pending.inventory.networks, std::move(part.inventory.networks));
  if (++pending.have < pending.parts) return;
  model::Inventory whole = std::move(pending.inventory);
  pending_.erase(key);
  publish(frame, std::move(whole));
}

void Index::publish(std::uint32_t frame, model::Inventory&& inventory) {
  if (!snapshots_.empty() && frame < snapshots_.back()->frame()) return;  // never in the first pass
  if (!snapshots_.empty() && newest_.same_state(inventory)) return;
  snapshots_.push_back(std::make_unique<Snapshot>(frame, inventory, pool_));
  newest_ = std::move(inventory);
}

void Index::set_interface(std::uint64_t key, const char* name, const char* description) noexcept {
  try {
    Interface interface;
    interface.identity =
        interface_identity(name == nullptr ? "" : name, description == nullptr ? "" : description);
    interface.ordinal = static_cast<unsigned>(interfaces_.size());
    host_side_ = host_side_ || interface.identity.point == Point::host;
    interfaces_.insert_or_assign(key, std::move(interface));
    last_ = nullptr;
  } catch (const std::exception&) {
    return;
  }
}

const Snapshot* Index::snapshot_at(std::uint32_t frame) const {
  const auto after = std::upper_bound(snapshots_.begin(), snapshots_.end(), frame,
                                      [](std::uint32_t f, const auto& s) { return f < s->frame(); });
  return after == snapshots_.begin() ? snapshots_.front().get() : std::prev(after)->get();
}

Index::Interface* Index::find_interface(std::uint64_t key) {
  if (last_ != nullptr && last_key_ == key) return last_;
  const auto it = interfaces_.find(key);
  if (it == interfaces_.end()) return nullptr;
  last_key_ = key;
  last_ = &it->second;
  return last_;
}

Point Index::point(std::uint64_t key) noexcept {
  const Interface* interface = find_interface(key);
  return interface == nullptr ? Point::unknown : interface->identity.point;
}

void Index::learn_packet(std::uint32_t frame, std::uint64_t key, std::int64_t time_ns,
                         const std::uint8_t* packet, std::size_t size) noexcept {
  const Interface* interface = find_interface(key);
  if (interface == nullptr || interface->identity.point == Point::unknown) return;
  const Copies::Place place{interface->ordinal, interface->identity.point == Point::host};
  try {
    copies_.learn(frame, place, time_ns, packet, size);
  } catch (const std::exception&) {
    return;
  }
}

Names Index::names(std::uint32_t frame, std::uint64_t key, const Address& src, const Address& dst) noexcept {
  if (snapshots_.empty()) return {};
  try {
    const Snapshot* snapshot = snapshot_at(frame);
    LocalEnd local;
    if (Interface* interface = find_interface(key)) {
      if (interface->local_for != snapshot) {
        interface->local = snapshot->local_end(interface->identity, pool_);
        interface->local_for = snapshot;
      }
      local = interface->local;
    }
    return {snapshot->name_of(src, local), snapshot->name_of(dst, local)};
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace podshark::plugin
