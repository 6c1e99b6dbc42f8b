// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/counter_watch.h"

#include <optional>

#include "podman/core/clock.h"
#include "podman/core/proc.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

constexpr std::size_t kMostBytes = 65536;
// The kernel adds up every counter of every processor for a reading, up to 0.2 ms for one container.
constexpr std::size_t kEachSecond = 20;

// Nothing when the container's process is not there any more: another one may have its number.
std::optional<drops::Counters> read(const model::Container& c, bool events) {
  const std::string directory = "/proc/" + std::to_string(c.pid) + "/net/";
  drops::Counters out;
  for (const char* name : {"snmp", "netstat"}) {
    const Result<std::string> text = read_file(directory + name, kMostBytes);
    if (!text) return std::nullopt;
    drops::add_counters(*text, out);
  }
  // What these count, the BPF program sees.
  if (const Result<std::string> text =
          events ? Result<std::string>(std::string()) : read_file(directory + "dev", kMostBytes))
    drops::add_link_counters(*text, out);
  const Result<ProcStat> stat = read_stat(c.pid);
  if (!stat || stat->start_time != c.pid_start) return std::nullopt;
  return out;
}

drops::Counters read_host() {
  drops::Counters out;
  if (const Result<std::string> text = read_file("/proc/self/net/stat/nf_conntrack", kMostBytes))
    drops::add_conntrack_counters(*text, out);
  if (const Result<std::string> text = read_file("/proc/net/softnet_stat", kMostBytes))
    drops::add_softnet_counters(*text, out);
  return out;
}

annotate::Event loss_event(const drops::Loss& loss, const model::Container* c) {
  annotate::Event out;
  out.kind = "drop";
  out.what = "counted";
  out.time_ns = now_ns();
  if (c != nullptr) out.container = c->name;
  if (c != nullptr) out.container_id = c->id;
  out.link = loss.link;
  out.reason = loss.name;
  out.count = loss.count;
  out.detail = (c != nullptr ? one_line(c->name, 80) : "the host") +
               (loss.link.empty() ? "" : ", " + loss.link) + ": " + std::string(loss.why) + ", " +
               std::to_string(loss.count) + " times (" + std::string(loss.group) + " " +
               std::string(loss.name) + ")";
  out.fix = loss.next;
  return out;
}

}  // namespace

void CounterWatch::sample(const std::vector<std::unique_ptr<Source>>& sources, bool events) {
  if (turn_++ % (1 + sources.size() / kEachSecond) != 0) return;
  drops::Counters host = read_host();
  tell(host_, host, nullptr, events);
  host_ = std::move(host);
  for (const auto& source : sources) {
    const model::Container& c = source->target().container;
    // The host's counters are everybody's.
    if (source->ended() || c.id.empty() || c.pid <= 0 || c.kind == model::NetworkKind::host) continue;
    Seen& seen = seen_[source->target().value];
    std::optional<drops::Counters> now = read(c, events);
    if (!now) continue;
    if (seen.pid == c.pid && seen.pid_start == c.pid_start) tell(seen.counters, *now, &c, events);
    seen = {c.pid, c.pid_start, std::move(*now)};
  }
}

void CounterWatch::tell(const drops::Counters& before, const drops::Counters& now, const model::Container* c,
                        bool events) {
  for (const drops::Loss& loss : drops::losses(before, now, events)) record_(loss_event(loss, c));
}

}  // namespace podshark::extcap
