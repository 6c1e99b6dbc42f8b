// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/snapshot.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "podman/core/text.h"

namespace podshark::plugin {
namespace {

using model::Container;
using model::Inventory;
using model::NetworkKind;
using model::Pod;

constexpr std::string_view kMaker = "podman";
constexpr std::string_view kRootMaker = "podman-root";
constexpr std::string_view kKubePrefix = "kube:";  // of a cluster, not of a podman
constexpr std::string_view kHostKey = "host=";
constexpr std::string_view kPodPrefix = "pod/";
constexpr std::string_view kReservedPrefix = "container/";

Address parse_mac(const std::string& text) {
  std::array<unsigned char, 6> b{};
  int used = 0;
  if (std::sscanf(text.c_str(), "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &b[0], &b[1], &b[2], &b[3], &b[4],
                  &b[5], &used) != 6 ||
      static_cast<std::size_t>(used) != text.size()) {
    return {};
  }
  return {b.data(), b.size()};
}

// Addresses no container can own, whatever a record claims: unspecified, loopback, multicast and broadcast.
bool ownable(const Address& a) {
  if (a.length == 0 || a.loopback()) return false;
  if (std::all_of(a.bytes.begin(), a.bytes.end(), [](std::uint8_t b) { return b == 0; })) return false;
  if (a.length == 4) return a.bytes[0] < 224;
  if (a.length == 16) return a.bytes[0] != 0xFF;
  return (a.bytes[0] & 1U) == 0;
}

bool has_prefix(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// `stem` names the container, in full or cut as interface values are ("very-long-na~1f2e3d").
bool stem_fits(std::string_view stem, const std::string& name) {
  if (has_prefix(stem, kReservedPrefix)) stem.remove_prefix(kReservedPrefix.size());
  if (stem == name) return true;
  const std::size_t tilde = stem.rfind('~');
  return tilde != std::string_view::npos && tilde > 0 && has_prefix(name, stem.substr(0, tilde)) &&
         stem.substr(tilde + 1) == hex(fnv1a(name), 6);
}

Who describe(const Container& c, const Pod* pod, NamePool& names) {
  return {.name = names.intern(c.name.empty() ? c.id.substr(0, 12) : c.name),
          .id = names.intern(c.id.substr(0, 12)),
          .image = c.infra ? nullptr : names.intern(c.image),
          .pod = pod == nullptr ? nullptr : names.intern(pod->name)};
}

std::string holder_name(const Container& c, const Pod* pod) {
  if (c.infra && pod != nullptr && !pod->name.empty()) return pod->name;
  return c.name.empty() ? c.id.substr(0, 12) : c.name;
}

}  // namespace

const char* NamePool::intern(const std::string& name) {
  if (name.empty()) return nullptr;
  return names_.insert(one_line(name, kMaxName)).first->c_str();
}

std::string interface_host(const std::string& host) {
  std::string out = one_line(host, 120);
  std::replace_if(
      out.begin(), out.end(), [](char x) { return x == ' ' || x == '='; }, '_');
  return out;
}

InterfaceIdentity interface_identity(std::string_view name, std::string_view description) {
  InterfaceIdentity out;
  for (const std::string& word : split(description, ' ')) {
    if (has_prefix(word, kHostKey)) out.host = word.substr(kHostKey.size());
  }
  // "podman@HOST:", where HOST may have colons too.
  const std::string at = out.host.empty() ? ":" : "@" + out.host + ":";
  const std::string own = std::string(kMaker) + at;
  const std::string root = std::string(kRootMaker) + at;
  out.root = has_prefix(name, root);
  const bool kube = has_prefix(name, kKubePrefix);
  if (!out.root && !kube && !has_prefix(name, own)) return {};
  name.remove_prefix(out.root ? root.size() : kube ? kKubePrefix.size() : own.size());
  // A link name has no slash; the stem of a pod has one.
  const std::size_t slash = name.rfind('/');
  out.stem = std::string(name.substr(0, slash));
  out.drops = slash != std::string_view::npos && name.substr(slash + 1) == "drops";
  for (const std::string& word : split(description, ' ')) {
    if (has_prefix(word, "id=") && word.size() == 3 + 12) out.id = word.substr(3);
    if (word == "point=inside") out.point = Point::inside;
    if (word == "point=host") out.point = Point::host;
  }
  return out;
}

class Snapshot::Lookup {
 public:
  explicit Lookup(const Inventory& inventory) : containers(inventory.containers) {
    for (const Container& c : inventory.containers) by_id_.try_emplace(c.id, &c);
    for (const Pod& p : inventory.pods) pods_.try_emplace(p.id, &p);
  }
  [[nodiscard]] const Container* by_id(const std::string& id) const {
    const auto it = by_id_.find(id);
    return it == by_id_.end() ? nullptr : it->second;
  }
  [[nodiscard]] const Pod* pod_of(const Container& c) const {
    const auto it = c.pod_id.empty() ? pods_.end() : pods_.find(c.pod_id);
    return it == pods_.end() ? nullptr : it->second;
  }

  const std::vector<Container>& containers;

 private:
  std::unordered_map<std::string_view, const Container*> by_id_;
  std::unordered_map<std::string_view, const Pod*> pods_;
};

Snapshot::Reach Snapshot::reach_of(const Container& c) {
  switch (c.kind) {
    case NetworkKind::host:
    case NetworkKind::none:
      return Reach::nowhere;
    case NetworkKind::slirp4netns:
    case NetworkKind::pasta:
      return Reach::own_interface;
    case NetworkKind::unknown:  // a rootless one may well be pasta's
      return c.rootless ? Reach::own_interface : Reach::everywhere;
    default:
      return c.rootless ? Reach::user : Reach::everywhere;
  }
}

Snapshot::Snapshot(std::uint32_t frame, const Inventory& inventory, NamePool& names) : frame_(frame) {
  add_members(Lookup(inventory), names);
  by_netns_.clear();
  for (const Container& c : inventory.containers) {
    const auto it = by_id_.find(c.id);
    if (!c.alive() || it == by_id_.end()) continue;
    add_addresses(c, it->second, names);
    add_ports(c, it->second);
  }
}

void Snapshot::add_members(const Lookup& inventory, NamePool& names) {
  // Makers of namespaces first, infra containers before all, so that they name what others share.
  std::vector<const Container*> order;
  for (const Container& c : inventory.containers) {
    if (c.alive() && !c.id.empty()) order.push_back(&c);
  }
  const auto rank = [](const Container* c) { return c->shares_with.empty() ? (c->infra ? 0 : 1) : 2; };
  std::stable_sort(order.begin(), order.end(), [&](auto* a, auto* b) { return rank(a) < rank(b); });
  for (const Container* c : order) {
    std::uint32_t holder = shared_holder(inventory, *c);
    const Pod* pod = inventory.pod_of(*c);
    const Who who = describe(*c, pod, names);
    if (holder == kNobody) {
      holder = static_cast<std::uint32_t>(holders_.size());
      holders_.push_back({who, interface_host(c->host), c->owner, reach_of(*c), {}});
      holders_.back().who.name = names.intern(holder_name(*c, pod));
    }
    // Containers of the host's network share its namespace, which is not theirs.
    if (c->netns != 0 && c->kind != NetworkKind::host) by_netns_.try_emplace({c->host, c->netns}, holder);
    if (by_id_.try_emplace(c->id, holder).second)
      members_.push_back({c->id, c->name, holder, c->rootless, who, interface_host(c->host)});
  }
}

std::uint32_t Snapshot::shared_holder(const Lookup& inventory, const Container& container) const {
  const Container* c = &container;
  for (int depth = 0; depth < 8 && !c->shares_with.empty(); ++depth) {
    if (const auto it = by_id_.find(c->shares_with); it != by_id_.end()) return it->second;
    c = inventory.by_id(c->shares_with);
    if (c == nullptr) break;
  }
  if (container.netns == 0 || container.kind == NetworkKind::host) return kNobody;
  const auto it = by_netns_.find({container.host, container.netns});
  return it == by_netns_.end() ? kNobody : it->second;
}

void Snapshot::add_addresses(const Container& container, std::uint32_t holder, NamePool& names) {
  if (holders_[holder].reach == Reach::nowhere) return;
  for (const auto& attachment : container.networks) {
    const char* network = names.intern(attachment.network);
    for (const std::string& address : attachment.addresses) claim(parse_ip(address), holder, network);
    claim(parse_mac(attachment.mac), holder, network);
  }
}

void Snapshot::add_ports(const Container& container, std::uint32_t holder) {
  for (const model::PortMapping& p : container.ports) {
    if (const std::uint8_t protocol = model::protocol_number(p.protocol); protocol != 0 && p.host_port != 0)
      holders_[holder].ports.push_back({p.host_port, p.container_port, p.range, protocol});
  }
}

void Snapshot::claim(const Address& address, std::uint32_t holder, const char* network) {
  if (!ownable(address)) return;
  if (!own_.try_emplace({address, holder}, network).second) return;
  if (holders_[holder].reach == Reach::own_interface) return;
  Claims& claims = by_address_[address];
  if (claims.count++ >= kMostClaims) return;
  claims_.push_back({holder, claims.first, network});
  claims.first = static_cast<std::uint32_t>(claims_.size() - 1);
}

const Snapshot::Member* Snapshot::find_member(const InterfaceIdentity& interface, bool on_host) const {
  const Member* found = nullptr;
  for (const Member& m : members_) {
    if (on_host && m.host != interface.host) continue;
    const bool fits = interface.id.empty()
                          ? stem_fits(interface.stem, m.name) && !(interface.root && m.rootless)
                          : has_prefix(m.id, interface.id);
    if (!fits) continue;
    if (found != nullptr) return nullptr;
    found = &m;
  }
  return found;
}

LocalEnd Snapshot::local_end(const InterfaceIdentity& interface, NamePool& names) const {
  if (interface.stem.empty()) return {};
  // One machine under two names has its containers once.
  const Member* member = find_member(interface, /* on_host= */ true);
  if (member == nullptr && !interface.id.empty()) member = find_member(interface, /* on_host= */ false);
  if (member == nullptr) return {};
  LocalEnd local{member->holder, holders_[member->holder].who, interface.point,
                 holders_[member->holder].host};
  // Of those who share the namespace, the one that was selected for the capture gives its name.
  for (const Member& m : members_) {
    if (m.holder == local.holder && stem_fits(interface.stem, m.name)) local.who = m.who;
  }
  if (has_prefix(interface.stem, kPodPrefix))
    local.who.name = names.intern(interface.stem.substr(kPodPrefix.size()));
  return local;
}

Owner Snapshot::owner_of(const Address& address, const LocalEnd& local) const {
  const bool seen_from_inside = local.holder != kNobody;
  if (address.loopback())
    return seen_from_inside && local.point != Point::host ? Owner{local.holder, local.who} : Owner{};
  if (const auto own = own_.find({address, local.holder}); own != own_.end()) {
    Owner owner{local.holder, local.who};
    owner.who.network = own->second;
    return owner;
  }
  const auto it = by_address_.find(address);
  if (it == by_address_.end() || it->second.count > kMostClaims) return {};
  // Of the same user, on the same host, on another.
  std::array<const Claim*, 3> found{};
  std::array<unsigned, 3> count{};
  for (std::uint32_t i = it->second.first; i != kNobody; i = claims_[i].next) {
    const Claim& claim = claims_[i];
    const Holder& holder = holders_[claim.holder];
    const bool same_host = !seen_from_inside || holder.host == local.host;
    const bool same_user = seen_from_inside && same_host && holder.owner == holders_[local.holder].owner;
    // Bridges of a user's rootless containers are not reachable from other users' containers.
    if (seen_from_inside && holder.reach == Reach::user && !same_user) continue;
    const std::size_t rank = same_user ? 0 : same_host ? 1 : 2;
    found[rank] = &claim;
    ++count[rank];
  }
  for (std::size_t rank = 0; rank < count.size(); ++rank) {
    if (count[rank] == 0) continue;
    if (count[rank] > 1) return {};
    Owner owner{found[rank]->holder, holders_[found[rank]->holder].who};
    owner.who.network = found[rank]->network;
    return owner;
  }
  return {};
}

std::size_t Snapshot::called(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(members_.begin(), members_.end(), [&](const Member& m) { return m.name == name; }));
}

std::uint16_t Snapshot::published_as(std::uint32_t holder, std::uint8_t protocol,
                                     std::uint16_t container_port) const {
  if (holder == kNobody) return 0;
  for (const Port& p : holders_[holder].ports) {
    const int offset = container_port - p.container;
    if (p.protocol == protocol && offset >= 0 && offset < p.range)
      return static_cast<std::uint16_t>(p.host + offset);
  }
  return 0;
}

std::uint16_t Snapshot::published_on(std::uint32_t holder, std::uint8_t protocol,
                                     std::uint16_t host_port) const {
  if (holder == kNobody) return 0;
  for (const Port& p : holders_[holder].ports) {
    const int offset = host_port - p.host;
    if (p.protocol == protocol && offset >= 0 && offset < p.range) return host_port;
  }
  return 0;
}

}  // namespace podshark::plugin
