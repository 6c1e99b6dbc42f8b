// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/merge_book.h"

#include <set>

namespace podshark::extcap::remote {
namespace {

template <typename T>
void add_new(std::vector<T>& to, const std::vector<T>& from, std::set<std::string>& known) {
  std::set<std::string> fresh;
  for (const T& x : from) {
    if (!x.id.empty() && known.count(x.id) > 0) continue;
    fresh.insert(x.id);
    to.push_back(x);
  }
  known.merge(fresh);
}

}  // namespace

model::Inventory merged_inventory(const std::vector<const model::Inventory*>& inventories,
                                  const std::string& host) {
  model::Inventory out;
  out.host = host;
  std::set<std::string> containers;
  std::set<std::string> pods;
  std::set<std::string> networks;
  for (const model::Inventory* i : inventories) {
    add_new(out.containers, i->containers, containers);
    add_new(out.pods, i->pods, pods);
    add_new(out.networks, i->networks, networks);
    out.problems.insert(out.problems.end(), i->problems.begin(), i->problems.end());
  }
  return out;
}

void OpenTranslations::take(const annotate::Event& event) {
  if (event.kind != "nat" || event.id.empty()) return;
  const std::pair<std::string, std::string> key(event.host, event.id);
  if (event.what == "ended") {
    open_.erase(key);
  } else if (open_.size() < kMost || open_.count(key) > 0) {
    open_.insert_or_assign(key, event);
  }
}

void OpenTranslations::repeat(std::int64_t now_ns,
                              const std::function<void(const annotate::Event&)>& record) const {
  for (const auto& [key, event] : open_) {
    annotate::Event again = event;
    const std::string prefix = event.what + ": ";
    if (again.detail.starts_with(prefix)) again.detail.replace(0, prefix.size(), "seen: ");
    again.what = "seen";
    again.time_ns = now_ns;
    record(again);
  }
}

void LossBook::take(std::size_t host, const annotate::Event& event) {
  if (event.kind != "stats") return;
  Summary sum;
  for (const auto& l : event.links) {
    sum.dropped += l.dropped;
    sum.queue_dropped += l.queue_dropped;
    sum.memory_dropped += l.memory_dropped;
    sum.link_errors += l.errors;
  }
  by_host_[host] = sum;
}

void LossBook::add_to(Summary& summary) const {
  for (const auto& [host, sum] : by_host_) {
    summary.dropped += sum.dropped;
    summary.queue_dropped += sum.queue_dropped;
    summary.memory_dropped += sum.memory_dropped;
    summary.link_errors += sum.link_errors;
  }
}

}  // namespace podshark::extcap::remote
