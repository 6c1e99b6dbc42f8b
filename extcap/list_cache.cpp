// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/list_cache.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>

#include <functional>
#include <set>
#include <utility>

#include "extcap/detached.h"
#include "extcap/directories.h"
#include "extcap/inventory_source.h"
#include "extcap/private_file.h"
#include "extcap/remote/hosts.h"
#include "podman/annotate/codec.h"
#include "podman/core/fd.h"
#include "podman/discover/discover.h"

namespace podshark::extcap {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kWait{330};  // of the 400 ms; the rest is for the conmon scan and printing
constexpr milliseconds kRefreshDeadline{15000};
constexpr milliseconds kStillGood{60000};  // names and images of a running container hardly ever change

// What the refreshing process does.
void rewrite(const ListCache& cache, const std::string& lock_path, const std::function<void()>& done) {
  UniqueFd lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!lock) return;
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    (void)::flock(lock.get(), LOCK_EX);  // somebody is at it: wait for the end, then it is done for us too
    return;
  }
  const model::Inventory inventory =
      discover::discover({.deadline = kRefreshDeadline, .all = false, .proc = "/proc"});
  (void)cache.write(inventory);
  lock.reset();
  done();
  if (no_podman(inventory) == nullptr) remote::refresh_connections_if_old();
}

}  // namespace

Result<ListCache> ListCache::open() {
  Result<std::string> directory = runtime_directory();
  if (!directory) return directory.error();
  return ListCache(std::move(*directory));
}

std::optional<ListCache::Entry> ListCache::read() const {
  std::optional<PrivateFile> file =
      read_private_file(directory_ + "/inventory.json", annotate::kMaxInventoryJson);
  if (!file) return std::nullopt;
  Result<annotate::InventoryPart> part = annotate::decode_inventory(file->text);
  if (!part) return std::nullopt;
  return Entry{std::move(part->inventory), file->age};
}

Status ListCache::write(const model::Inventory& inventory) const {
  return replace_file(directory_ + "/inventory.json", annotate::encode_inventory(inventory));
}

bool ListCache::refresh(milliseconds limit) const {
  const UniqueFd done = detached([this](const std::function<void()>& is_done) {
    rewrite(*this, directory_ + "/refresh.lock", is_done);
  });
  if (!done) return false;
  pollfd p{done.get(), POLLIN, 0};
  if (::poll(&p, 1, static_cast<int>(limit.count())) <= 0) return false;
  const std::optional<Entry> entry = read();
  return entry && entry->age < kFresh;
}

namespace {

// Running is what conmon says now; the rest is as good as the last answer of podman.
model::Inventory with_details(model::Inventory scanned, const std::optional<ListCache::Entry>& old) {
  if (!old) return scanned;
  for (model::Container& c : scanned.containers) {
    const model::Container* known = old->inventory.by_id(c.id);
    if (known != nullptr && known->pid == c.pid && known->pid_start == c.pid_start) c = *known;
  }
  scanned.pods = old->inventory.pods;
  scanned.networks = old->inventory.networks;
  return scanned;
}

// The cache is right as long as the same processes run: somebody who has just started a container looks for
// it.
bool same_containers(const model::Inventory& cached, const model::Inventory& scanned) {
  const auto processes = [](const model::Inventory& inventory) {
    std::set<std::pair<pid_t, std::uint64_t>> out;
    for (const model::Container& c : inventory.containers) {
      if (c.alive()) out.emplace(c.pid, c.pid_start);
    }
    return out;
  };
  return processes(cached) == processes(scanned);
}

}  // namespace

ListedInventory list_quickly() {
  const Result<ListCache> cache = ListCache::open();
  if (!cache) return {discover::discover({.deadline = kWait, .all = false, .proc = "/proc"}), false};
  std::optional<ListCache::Entry> entry = cache->read();
  if (entry &&
      (entry->age < ListCache::kUnchecked ||
       (entry->age < ListCache::kFresh && same_containers(entry->inventory, discover::scan_conmon())))) {
    return {std::move(entry->inventory), false};
  }
  if (cache->refresh(kWait)) {
    if (std::optional<ListCache::Entry> fresh = cache->read()) return {std::move(fresh->inventory), false};
  }
  const bool stale = !entry || entry->age > kStillGood;
  return {with_details(discover::scan_conmon(), entry), stale};
}

model::Inventory discover_all() {
  return discover::discover({.deadline = milliseconds(5000), .all = true, .proc = "/proc"});
}

}  // namespace podshark::extcap
