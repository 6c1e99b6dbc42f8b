// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/selection.h"

#include <unistd.h>

#include <algorithm>

#include "extcap/inventory_source.h"
#include "extcap/list_cache.h"
#include "podman/core/clock.h"
#include "podman/core/proc.h"
#include "podman/discover/discover.h"

namespace podshark::extcap {
namespace {

bool still_the_same(const Target& target) {
  const Result<ProcStat> stat = read_stat(target.container.pid);
  return stat && stat->state != 'Z' && stat->start_time == target.container.pid_start;
}

// Empty targets: nothing that may be used.
Selection remembered(const std::vector<std::string>& names) {
  const bool group = std::any_of(names.begin(), names.end(), names_a_group);
  const Result<ListCache> cache = group ? Result<ListCache>(Error{}) : ListCache::open();
  std::optional<ListCache::Entry> entry = cache ? cache->read() : std::nullopt;
  // A name may have become another container's since.
  if (!entry || !same_processes(entry->inventory, discover::scan_conmon())) return {};
  Result<Targets> found = resolve(names, entry->inventory, ::geteuid());
  if (!found || !found->stopped.empty() ||
      !std::all_of(found->running.begin(), found->running.end(), still_the_same)) {
    return {};
  }
  entry->inventory.time_ns = now_ns();  // it holds now: that was just proven for what is captured
  return {names, std::move(entry->inventory), std::move(found->running), {}, true};
}

// The caller's own only: another user's, root's included, are not ours to start.
bool may_start(const model::Container& c) {
  return c.owner == ::geteuid() && !c.limited;
}

// What podman knew of the container, with the process that runs now. Addresses change with a restart.
model::Container restarted(const model::Container& known, const model::Container& seen) {
  model::Container c = known;
  c.state = seen.state;
  c.pid = seen.pid;
  c.pid_start = seen.pid_start;
  c.conmon_pid = seen.conmon_pid;
  c.started_at = seen.started_at;
  c.netns = seen.netns;
  c.netns_path = seen.netns_path;
  if (known.networks.size() == 1 && seen.networks.size() == 1) {
    c.networks.front().mac = seen.networks.front().mac;
    c.networks.front().addresses = seen.networks.front().addresses;
  } else {
    c.networks = seen.networks;
  }
  return c;
}

}  // namespace

Result<Selection> select(const std::vector<std::string>& names, const SelectOptions& options) {
  Selection selection = remembered(names);
  if (!selection.targets.empty()) return selection;
  selection = {};
  selection.names = names;
  selection.inventory = discover_all();
  Result<Targets> found = resolve(names, selection.inventory, ::geteuid());
  if (!found) {
    const ErrorKind kind = found.error().kind;
    if (!options.wait || (kind != ErrorKind::not_found && kind != ErrorKind::not_running))
      return found.error();
    selection.targets = resolve_running(names, selection.inventory, ::geteuid());
    return selection;
  }
  for (model::Container& c : found->stopped) {
    if (options.wait) continue;  // whoever waits does not start
    if (!options.start || !may_start(c)) return not_running(c);
    selection.to_start.push_back(std::move(c));
  }
  selection.targets = std::move(found->running);
  return selection;
}

model::Inventory running_now(const model::Inventory& known) {
  model::Inventory now = discover::scan_conmon();
  for (model::Container& c : now.containers) {
    const model::Container* old = known.by_id(c.id);
    if (old == nullptr || old->limited)
      continue;  // a moment ago it may have been the runtime, not the container
    c = old->same_process(c) ? *old : restarted(*old, c);
  }
  now.pods = known.pods;
  now.networks = known.networks;
  return now;
}

}  // namespace podshark::extcap
