// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/list_cache.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <set>
#include <utility>

#include "extcap/runtime_directory.h"
#include "podman/annotate/codec.h"
#include "podman/core/fd.h"
#include "podman/core/proc.h"
#include "podman/discover/discover.h"

namespace podshark::extcap {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kWait{330};  // of the 400 ms; the rest is for the conmon scan and printing
constexpr milliseconds kRefreshDeadline{15000};
constexpr milliseconds kStillGood{60000};  // names and images of a running container hardly ever change

milliseconds age_of(const struct stat& st) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto ms = (now.tv_sec - st.st_mtim.tv_sec) * 1000 + (now.tv_nsec - st.st_mtim.tv_nsec) / 1000000;
  return ms >= 0 ? milliseconds(ms) : milliseconds::max();  // from the future: the clock was set back
}

// The refreshing process: own session, no descriptor of ours but the one whose closing says "done".
[[noreturn]] void refresh_detached(const ListCache& cache, const std::string& lock_path) {
  const UniqueFd lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {
    (void)cache.write(discover::discover({.deadline = kRefreshDeadline, .all = false, .proc = "/proc"}));
  } else if (lock) {
    (void)::flock(lock.get(), LOCK_EX);  // somebody is at it: wait for the end, then it is done for us too
  }
  ::_exit(0);
}

void detach_descriptors(int keep) {
  const UniqueFd null(::open("/dev/null", O_RDWR));
  for (const int fd : {0, 1, 2}) ::dup2(null.get(), fd);
  ::dup2(keep, 3);
  (void)::close_range(4, ~0U, 0);
}

}  // namespace

Result<ListCache> ListCache::open() {
  Result<std::string> directory = runtime_directory();
  if (!directory) return directory.error();
  return ListCache(std::move(*directory));
}

std::optional<ListCache::Entry> ListCache::read() const {
  const std::string path = directory_ + "/inventory.json";
  struct stat st {};
  if (::lstat(path.c_str(), &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != ::geteuid())
    return std::nullopt;
  const Result<std::string> text = read_file(path, annotate::kMaxInventoryJson);
  if (!text) return std::nullopt;
  Result<annotate::InventoryPart> part = annotate::decode_inventory(*text);
  if (!part) return std::nullopt;
  return Entry{std::move(part->inventory), age_of(st)};
}

Status ListCache::write(const model::Inventory& inventory) const {
  const std::string text = annotate::encode_inventory(inventory);
  const std::string temporary = directory_ + "/inventory." + std::to_string(::getpid());
  const UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return os_error(errno, "open '" + temporary + "'");
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(fd.get(), text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const int code = errno;
      (void)::unlink(temporary.c_str());
      return os_error(code, "write '" + temporary + "'");
    }
    done += static_cast<std::size_t>(n);
  }
  if (::rename(temporary.c_str(), (directory_ + "/inventory.json").c_str()) != 0) {
    return os_error(errno, "rename '" + temporary + "'");
  }
  return ok();
}

bool ListCache::refresh(milliseconds limit) const {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  const UniqueFd done(ends[0]);
  UniqueFd held(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return false;
  if (pid == 0) {
    // Twice forked and in a session of its own: Wireshark waits for our process group's pipes, not for this.
    if (::setsid() < 0 || ::fork() != 0) ::_exit(0);
    detach_descriptors(held.get());
    refresh_detached(*this, directory_ + "/refresh.lock");
  }
  held.reset();
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
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
