// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/list_cache.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>

#include <functional>
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
  model::Inventory inventory =
      discover::discover({.deadline = kRefreshDeadline, .all = false, .proc = "/proc"});
  // A podman that does not answer must not make names and images forgotten.
  const std::optional<ListCache::Entry> old = lacks_details(inventory) ? cache.read() : std::nullopt;
  if (old) inventory = with_details(std::move(inventory), old->inventory);
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

ListedInventory list_quickly() {
  const Result<ListCache> cache = ListCache::open();
  if (!cache) return {discover::discover({.deadline = kWait, .all = false, .proc = "/proc"}), false};
  std::optional<ListCache::Entry> entry = cache->read();
  if (entry &&
      (entry->age < ListCache::kUnchecked ||
       // It is right as long as the same processes run: somebody who has just started a container looks for
       // it.
       (entry->age < ListCache::kFresh && same_processes(entry->inventory, discover::scan_conmon())))) {
    return {std::move(entry->inventory), false};
  }
  const bool refreshed = cache->refresh(kWait);
  if (std::optional<ListCache::Entry> fresh = refreshed ? cache->read() : std::nullopt)
    entry = std::move(fresh);
  // Running is what conmon says now; the rest is as good as the last answer of podman. Also after a refresh
  // that somebody else had begun: podman may have answered it before the container was there for which we are
  // asked.
  model::Inventory now = discover::scan_conmon();
  if (refreshed && entry && same_processes(entry->inventory, now))
    return {std::move(entry->inventory), false};
  const bool stale = !refreshed && (!entry || entry->age > kStillGood);
  return {entry ? with_details(std::move(now), entry->inventory) : std::move(now), stale};
}

model::Inventory discover_all() {
  return discover::discover({.deadline = milliseconds(5000), .all = true, .proc = "/proc"});
}

}  // namespace podshark::extcap
