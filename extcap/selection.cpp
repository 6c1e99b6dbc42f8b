// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/selection.h"

#include <unistd.h>

#include <algorithm>

#include "extcap/list_cache.h"
#include "podman/core/clock.h"
#include "podman/core/proc.h"

namespace podshark::extcap {
namespace {

bool still_the_same(const Target& target) {
  const Result<ProcStat> stat = read_stat(target.container.pid);
  return stat && stat->state != 'Z' && stat->start_time == target.container.pid_start;
}

// Empty targets: nothing that may be used.
Selection remembered(const std::vector<std::string>& names) {
  const bool all = std::any_of(names.begin(), names.end(),
                               [](const std::string& n) { return n == kAllValue || n == "all"; });
  const Result<ListCache> cache = all ? Result<ListCache>(Error{}) : ListCache::open();
  std::optional<ListCache::Entry> entry = cache ? cache->read() : std::nullopt;
  if (!entry) return {};
  Result<std::vector<Target>> targets = resolve(names, entry->inventory, ::geteuid());
  if (!targets || !std::all_of(targets->begin(), targets->end(), still_the_same)) return {};
  entry->inventory.time_ns = now_ns();  // it holds now: that was just proven for what is captured
  return {std::move(entry->inventory), std::move(*targets), true};
}

}  // namespace

Result<Selection> select(const std::vector<std::string>& names) {
  Selection selection = remembered(names);
  if (!selection.targets.empty()) return selection;
  selection.inventory = discover_all();
  Result<std::vector<Target>> targets = resolve(names, selection.inventory, ::geteuid());
  if (!targets) return targets.error();
  selection.targets = std::move(*targets);
  return selection;
}

}  // namespace podshark::extcap
