// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/nat_legs.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "extcap/capture/host_side.h"

namespace podshark::extcap {
namespace {

using model::Container;
using model::NetworkKind;

// What pasta and slirp4netns containers have as addresses means them only on their own links.
bool own_addresses(const Container& c) {
  return c.kind != NetworkKind::pasta && c.kind != NetworkKind::slirp4netns && c.kind != NetworkKind::host &&
         (c.kind != NetworkKind::unknown || !c.rootless);
}

void add(const Container& c, const NatOwner& owner, bool rootless, NatOwners& out) {
  if (c.rootless != rootless || !own_addresses(c)) return;
  for (const auto& network : c.networks) {
    for (const std::string& text : network.addresses) {
      const std::optional<IpAddress> address = IpAddress::parse(text);
      if (address && !address->loopback()) out.emplace(*address, owner);
    }
  }
}

bool on_network(const Container& c, const std::string& network) {
  return std::any_of(c.networks.begin(), c.networks.end(),
                     [&](const auto& n) { return n.network == network; });
}

}  // namespace

NatOwners nat_owners(const std::vector<Target>& targets, const model::Inventory& inventory, bool rootless) {
  NatOwners out;
  for (const Target& t : targets) {
    const Container& mine = t.container;
    if (t.network.empty()) add(mine, {mine.id, mine.name}, rootless, out);
    for (const Container& c : inventory.containers) {
      // Addresses are known of the one that made the namespace, and may be news of the target itself.
      const bool same =
          t.network.empty() && (c.id == mine.id || (c.netns != 0 && c.netns == mine.netns && c.alive()));
      if (same) add(c, {mine.id, mine.name}, rootless, out);
      if (!t.network.empty() && c.alive() && on_network(c, t.network)) add(c, {c.id, c.name}, rootless, out);
    }
  }
  return out;
}

NatLegs::NatLegs(WorkerClient& worker, EventLoop& loop, Hooks hooks)
    : worker_(worker), loop_(loop), hooks_(std::move(hooks)) {}

void NatLegs::captured(const std::vector<std::unique_ptr<Source>>& sources,
                       const model::Inventory& inventory) {
  std::vector<Target> targets;
  for (const auto& s : sources) {
    if (!s->ended()) targets.push_back(s->target());
  }
  for (Side* side : {&host_, &rootless_}) serve(*side, nat_owners(targets, inventory, side->rootless));
}

void NatLegs::serve(Side& side, NatOwners owners) {
  if (owners.empty() && !side.watch) return;
  if (!owners.empty() && !side.given_up) open(side);
  if (side.watch) side.watch->captured(std::move(owners));
}

// The namespace of the rootless networks ends with the last container that needs it, and another one comes.
void NatLegs::open(Side& side) {
  if (side.watch && !side.rootless) return;
  const Result<NetnsPlace> place = outer_place(side.rootless);
  if (!place) return;  // not there now: asked again with the next change
  struct stat st {};
  if (side.watch && place->fd && ::fstat(place->fd->get(), &st) == 0 &&
      side.watch->netns_inode() == st.st_ino) {
    return;
  }
  side.watch.reset();
  Result<std::unique_ptr<NatWatch>> watch = NatWatch::open(*place, worker_, loop_, hooks_.record);
  if (watch) {
    side.watch = std::move(*watch);
    return;
  }
  side.given_up = true;
  hooks_.unavailable("translations are not recorded: read connection tracking of " + place->who() + ": " +
                     (watch.error().kind == ErrorKind::permission ? "not permitted (run podshark with sudo)"
                                                                  : watch.error().what));
}

void NatLegs::repeat(const NatWatch::Record& record) {
  for (Side* side : {&host_, &rootless_}) {
    if (side->watch) side->watch->repeat(record);
  }
}

void NatLegs::tick() {
  for (Side* side : {&host_, &rootless_}) {
    if (side->watch) side->watch->tick();
  }
}

}  // namespace podshark::extcap
