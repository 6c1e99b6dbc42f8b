// SPDX-License-Identifier: GPL-2.0-or-later
// Each inventory that differs from the one before of its machine becomes a Snapshot, valid from its frame to
// the next one's. Learning happens once, in frame order; look-ups come in any order afterwards and give the
// same answers. Exceptions (only memory can be missing here) end at the public functions: a name less, never
// a crash.
#include "plugin/index.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

#include "plugin/dns_names.h"
#include "podman/core/text.h"

namespace podshark::plugin {
namespace {

constexpr std::size_t kMostDnsNames = 20'000;
constexpr std::size_t kMostOwners = 8;     // of one address, in its joint name
constexpr std::size_t kMostResolved = 63;  // MAXNAMELEN - 1 of epan/addr_resolv.h

template <typename T>
void append(std::vector<T>& to, std::vector<T>&& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

void Index::clear() noexcept {
  last_ = nullptr;
  interfaces_.clear();
  machines_.clear();
  pending_.clear();
  snapshots_.clear();
  sources_.clear();
  repeats_ = false;
  legs_ = false;
  rootless_ = false;
  host_side_ = false;
  drops_ = false;
  ask_outside_ = true;
  copies_.clear();
  one_sided_.clear();
  flows_.clear();
  events_.clear();
  dns_names_.clear();
  owners_.clear();
  resolved_.clear();
  pool_.clear();
}

void Index::learn(std::uint32_t frame, std::uint64_t key, std::string_view json) noexcept {
  try {
    Result<annotate::Record> record = annotate::decode_record(json);
    if (!record) return;
    if (auto* part = std::get_if<annotate::InventoryPart>(&*record)) {
      add_part(frame, key, std::move(*part));
    } else {
      const auto& event = std::get<annotate::Event>(*record);
      // Before the first dropped packet, whose original is to be known when it comes.
      if (event.kind == "lifecycle" && event.what == "watching-drops") repeats_ = true;
      legs_ = legs_ || event.kind == "nat";
      if (event.kind == "one-sided") one_sided_.learn(frame, event.packet_ns);
      flows_.learn(frame, event, machine_called(interface_host(event.host)));
      events_.learn(frame, event);
    }
  } catch (const std::exception&) {
    pending_.erase(key);
  }
}

void Index::learn_outside(std::uint32_t frame, model::Inventory&& inventory) noexcept {
  try {
    publish(frame, std::move(inventory));
  } catch (const std::exception&) {
    return;
  }
}

void Index::learn_dns(std::uint32_t frame, const std::uint8_t* payload, std::size_t size) noexcept {
  try {
    for (const DnsName& found : podman_dns_names(payload, size)) {
      if (dns_names_.size() >= kMostDnsNames && dns_names_.count(found.address) == 0) continue;
      auto& entries = dns_names_[found.address];
      const char* name = pool_.intern(found.name);
      if (entries.empty() || entries.back().name != name) entries.push_back({frame, name});
    }
  } catch (const std::exception&) {
    return;
  }
}

const char* Index::dns_name(std::uint32_t frame, const Address& address) const {
  const auto it = dns_names_.find(address);
  if (it == dns_names_.end()) return nullptr;
  const auto& entries = it->second;
  const auto after = std::upper_bound(entries.begin(), entries.end(), frame,
                                      [](std::uint32_t f, const DnsEntry& e) { return f < e.frame; });
  return after == entries.begin() ? entries.front().name : std::prev(after)->name;
}

// Wireshark keeps one name per address and file.
void Index::resolve(const Address& address, const char* name) {
  auto& names = owners_[address];
  if (names.size() >= kMostOwners || std::find(names.begin(), names.end(), name) != names.end()) return;
  names.push_back(name);
  std::string joint;
  for (const char* n : names) joint += (joint.empty() ? "" : "|") + std::string(n);
  if (joint.size() > kMostResolved) joint.resize(kMostResolved);
  resolved_.push_back({address, one_line(joint, kMostResolved)});
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
  if (pending.inventory.containers.size() + part.inventory.containers.size() > Snapshot::kMostContainers) {
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
  if (!snapshots_.empty() && frame < snapshots_.back().snapshot->frame()) return;  // never in the first pass
  if (inventory.containers.size() > Snapshot::kMostContainers) return;
  auto source = std::find_if(sources_.begin(), sources_.end(),
                             [&](const Source& s) { return s.host == inventory.host; });
  if (source != sources_.end() && source->newest.same_state(inventory)) return;
  if (source == sources_.end()) source = sources_.insert(source, {inventory.host, {}, {}});
  rootless_ = rootless_ || std::any_of(inventory.containers.begin(), inventory.containers.end(),
                                       [](const model::Container& c) { return c.rootless; });
  auto snapshot = std::make_unique<Snapshot>(frame, inventory, pool_);
  source->snapshots.push_back(snapshot.get());
  source->newest = std::move(inventory);
  snapshot->each_named_address([&](const Address& a, const char* name) { resolve(a, name); });
  snapshots_.push_back({std::move(snapshot), static_cast<std::size_t>(source - sources_.begin())});
}

void Index::set_interface(std::uint64_t key, const char* name, const char* description) noexcept {
  try {
    Interface interface;
    interface.identity =
        interface_identity(name == nullptr ? "" : name, description == nullptr ? "" : description);
    interface.ordinal = static_cast<unsigned>(interfaces_.size());
    host_side_ = host_side_ || interface.identity.point == Point::host;
    repeats_ = repeats_ || interface.identity.point == Point::host || interface.identity.drops;
    drops_ = drops_ || interface.identity.drops;
    if (!interface.identity.host.empty()) {
      repeats_ = true;
      copies_.expect_several();
      interface.host = pool_.intern(interface.identity.host);
      interface.machine = machine_called(interface.identity.host);
    }
    interfaces_.insert_or_assign(key, std::move(interface));
    last_ = nullptr;
  } catch (const std::exception&) {
    return;
  }
}

const Snapshot* Index::snapshot_of(const Source& source, std::uint32_t frame) {
  const auto after = std::upper_bound(source.snapshots.begin(), source.snapshots.end(), frame,
                                      [](std::uint32_t f, const Snapshot* s) { return f < s->frame(); });
  return after == source.snapshots.begin() ? source.snapshots.front() : *std::prev(after);
}

// An id is on one machine, so the first that knows it is right for every frame.
const Snapshot* Index::snapshot_at(std::uint32_t frame, std::uint64_t key) {
  if (sources_.size() == 1) return snapshot_of(sources_.front(), frame);
  Interface* interface = find_interface(key);
  if (interface == nullptr || interface->identity.id.empty()) return nullptr;
  while (interface->source == kNoSource && interface->searched < snapshots_.size()) {
    const Taken& taken = snapshots_[interface->searched++];
    if (taken.snapshot->local_end(interface->identity, pool_).holder != kNobody)
      interface->source = taken.source;
  }
  return interface->source == kNoSource ? nullptr : snapshot_of(sources_[interface->source], frame);
}

Index::Interface* Index::find_interface(std::uint64_t key) {
  if (last_ != nullptr && last_key_ == key) return last_;
  const auto it = interfaces_.find(key);
  if (it == interfaces_.end()) return nullptr;
  last_key_ = key;
  last_ = &it->second;
  return last_;
}

unsigned Index::machine_called(const std::string& host) {
  if (host.empty()) return 0;
  return machines_.try_emplace(host, static_cast<unsigned>(machines_.size()) + 1).first->second;
}

unsigned Index::machine(std::uint64_t key) noexcept {
  const Interface* interface = find_interface(key);
  return interface == nullptr ? 0 : interface->machine;
}

Point Index::point(std::uint64_t key) noexcept {
  const Interface* interface = find_interface(key);
  return interface == nullptr ? Point::unknown : interface->identity.point;
}

const char* Index::host(std::uint64_t key) noexcept {
  const Interface* interface = find_interface(key);
  return interface == nullptr ? nullptr : interface->host;
}

bool Index::holds_drops(std::uint64_t key) noexcept {
  const Interface* interface = find_interface(key);
  return interface != nullptr && interface->identity.drops;
}

void Index::learn_dropped(std::uint32_t frame, const Flow& flow, const char* reason) noexcept {
  try {
    events_.learn_dropped(frame, flow, reason);
  } catch (const std::exception&) {
    return;
  }
}

DropWords Index::drop_words(std::string_view json) noexcept {
  try {
    const Result<annotate::Event> event = annotate::decode_event(json);
    if (!event) return {};
    return {pool_.intern(event->reason), pool_.intern(event->function), pool_.intern(event->hook)};
  } catch (const std::exception&) {
    return {};
  }
}

void Index::learn_flow(std::uint32_t frame, std::uint64_t key, const Flow& flow) noexcept {
  try {
    flows_.visit(frame, flow, machine(key));
  } catch (const std::exception&) {
    return;
  }
}

void Index::learn_packet(std::uint32_t frame, std::uint64_t key, std::int64_t time_ns,
                         const std::uint8_t* packet, std::size_t size) noexcept {
  const Interface* interface = find_interface(key);
  if (interface == nullptr) return;
  const InterfaceIdentity& identity = interface->identity;
  if (identity.point == Point::unknown && !identity.drops) return;
  const Copies::Place place{interface->ordinal, identity.drops || identity.point == Point::host,
                            interface->machine};
  try {
    copies_.learn(frame, place, time_ns, packet, size);
    if (host_side_ && !identity.drops) one_sided_.visit(frame, time_ns);
  } catch (const std::exception&) {
    return;
  }
}

Ends Index::ends(std::uint32_t frame, std::uint64_t key, const Flow& flow) noexcept {
  try {
    Ends out;
    if (const Snapshot* snapshot = snapshots_.empty() ? nullptr : snapshot_at(frame, key);
        snapshot != nullptr) {
      const LocalEnd local = local_end(*snapshot, key);
      const Owner src = snapshot->owner_of(flow.src, local);
      const Owner dst = snapshot->owner_of(flow.dst, local);
      out = {src.who, dst.who, published(*snapshot, local, src.holder, dst.holder, flow)};
    } else if (snapshots_.empty() && !dns_names_.empty()) {
      out.src.name = dns_name(frame, flow.src);
      out.dst.name = dns_name(frame, flow.dst);
    }
    if (!flows_.empty()) {
      out.nat = flows_.translation(frame, flow, machine(key));
      out.probe = flows_.probe(frame, flow, machine(key));
    }
    return out;
  } catch (const std::exception&) {
    return {};
  }
}

Serving Index::serving(std::uint32_t frame, std::uint64_t key, const Flow& flow) noexcept {
  try {
    if (snapshots_.empty() || flow.protocol == 0) return {};
    const Snapshot* snapshot = snapshot_at(frame, key);
    if (snapshot == nullptr) return {};
    const LocalEnd local = local_end(*snapshot, key);
    const std::uint32_t src = snapshot->owner_of(flow.src, local).holder;
    const std::uint32_t dst = snapshot->owner_of(flow.dst, local).holder;
    Serving out{snapshot->published_as(src, flow.protocol, flow.src_port) != 0,
                snapshot->published_as(dst, flow.protocol, flow.dst_port) != 0};
    if (local.point == Point::host && src == kNobody && dst == kNobody) {
      out.src = snapshot->published_on(local.holder, flow.protocol, flow.src_port) != 0;
      out.dst = snapshot->published_on(local.holder, flow.protocol, flow.dst_port) != 0;
    }
    return out;
  } catch (const std::exception&) {
    return {};
  }
}

bool Index::sole(std::uint32_t frame, const char* name) const noexcept {
  if (name == nullptr) return false;
  std::size_t called = 0;
  for (const Source& source : sources_) called += snapshot_of(source, frame)->called(name);
  return called == 1;
}

LocalEnd Index::local_end(const Snapshot& snapshot, std::uint64_t key) {
  Interface* interface = find_interface(key);
  if (interface == nullptr) return {};
  if (interface->local_for != &snapshot) {
    interface->local = snapshot.local_end(interface->identity, pool_);
    interface->local_for = &snapshot;
  }
  return interface->local;
}

// To a container, or back from it; where the host's side has not been translated yet, the ports are the
// host's.
std::uint16_t Index::published(const Snapshot& snapshot, const LocalEnd& local, std::uint32_t src,
                               std::uint32_t dst, const Flow& flow) {
  if (flow.protocol == 0) return 0;
  if (const std::uint16_t port = snapshot.published_as(dst, flow.protocol, flow.dst_port); port != 0)
    return port;
  if (const std::uint16_t port = snapshot.published_as(src, flow.protocol, flow.src_port); port != 0)
    return port;
  if (local.point != Point::host || src != kNobody || dst != kNobody) return 0;
  const std::uint16_t to = snapshot.published_on(local.holder, flow.protocol, flow.dst_port);
  return to != 0 ? to : snapshot.published_on(local.holder, flow.protocol, flow.src_port);
}

}  // namespace podshark::plugin
