// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/probe/session.h"

#include <unistd.h>

#include <map>
#include <ostream>
#include <utility>

#include "extcap/announce/announce.h"
#include "extcap/inventory_source.h"
#include "extcap/probe/mesh.h"
#include "extcap/probe/render.h"
#include "extcap/probe/runner.h"
#include "extcap/probe/stop.h"
#include "podman/probe/conclude_other.h"

namespace podshark::extcap::probing {
namespace {

struct Plan {
  model::Inventory inventory;
  Source source;
  std::vector<Job> jobs;
};

class ProbeSession {
 public:
  ProbeSession(const ProbeOptions& options, std::ostream& out, UniqueFd stop)
      : o_(options),
        out_(out),
        stop_(std::move(stop)),
        resolver_(worker_, options.timeout, stop_.get()),
        runner_(worker_, options.timeout, stop_.get()) {
    runner_.on_record(announce);
  }

  Result<Verdict> run();

 private:
  Result<Plan> make_plan();
  Status listen(const Plan& plan);
  Status round();
  void replan();
  void show(const std::vector<ProbeResult>& results);
  void show_one(const ProbeResult& result);
  void show_summary();
  void print(const std::string& line) { out_ << line << '\n' << std::flush; }
  [[nodiscard]] bool repeated() const { return o_.count != 1; }

  const ProbeOptions& o_;
  std::ostream& out_;
  UniqueFd stop_;
  WorkerClient worker_;
  SourceResolver resolver_;
  Runner runner_;
  Plan plan_;
  std::optional<OwnListener> listener_;
  std::map<std::pair<std::string, std::string>, Series> series_;  // by source and target
  bool failing_ = false;                                          // the last round
  bool failed_ = false;
  bool unmeasured_ = false;
};

Result<Plan> ProbeSession::make_plan() {
  Plan plan;
  const uid_t caller = ::geteuid();
  TargetText target;
  if (o_.mesh.empty()) {
    Result<TargetText> parsed = parse_target(o_.target);
    if (!parsed) return parsed.error();
    target = std::move(*parsed);
  }
  if (o_.all_ports && (target.port || target.protocol))
    return Error{ErrorKind::usage, "--all-ports takes a container without port and protocol", {}};
  Result<model::Inventory> inventory = live_inventory();
  // Addresses and names can be probed from the host without podman.
  if (!inventory && (o_.from != "host" || !o_.mesh.empty() || o_.all_ports)) return inventory.error();
  if (inventory) plan.inventory = std::move(*inventory);
  if (!o_.mesh.empty()) {
    Result<std::vector<Job>> jobs = mesh_jobs(o_.mesh, plan.inventory);
    if (!jobs) return jobs.error();
    plan.jobs = std::move(*jobs);
    return plan;
  }
  Result<Source> source = find_source(o_.from, plan.inventory, caller);
  if (!source) return source.error();
  plan.source = std::move(*source);
  if (o_.all_ports) {
    Result<std::vector<Job>> jobs = all_port_jobs(target.host, plan.source, plan.inventory, caller);
    if (!jobs) return jobs.error();
    plan.jobs = std::move(*jobs);
    return plan;
  }
  Result<Aim> aim = find_aim(target, plan.source, plan.inventory, caller, {o_.published, o_.mtu}, resolver_);
  if (!aim) return !inventory && aim.error().kind == ErrorKind::not_found ? inventory.error() : aim.error();
  plan.jobs.push_back({plan.source, std::move(*aim)});
  return plan;
}

Status ProbeSession::listen(const Plan& plan) {
  const Aim& aim = plan.jobs.front().aim;
  const bool udp = aim.protocol == probe::Protocol::udp;
  if (!udp && aim.protocol != probe::Protocol::tcp)
    return Error{ErrorKind::usage, "--listen is for tcp and udp", {}};
  Source place;
  std::uint16_t port = aim.to.port;
  if (aim.container.pid > 0) {
    place.name = aim.container_name;
    place.pid = aim.container.kind == model::NetworkKind::host ? 0 : aim.container.pid;
    place.container = aim.container;
    place.netns = NetnsPlace::of(aim.container);
    port = aim.container_port;
  } else if (!aim.to.address.loopback() && o_.target.rfind("host", 0) != 0) {
    return Error{ErrorKind::usage, "--listen needs a container, or host, as target", {}};
  }
  Result<OwnListener> opened = open_listener(worker_, place, port, udp, "podshark " + random_id());
  if (!opened) return opened.error();
  listener_ = std::move(*opened);
  return ok();
}

// A restarted container has another process and another address.
void ProbeSession::replan() {
  Result<Plan> plan = make_plan();
  if (plan) plan_ = std::move(*plan);
  if (plan && listener_) {
    listener_.reset();
    (void)listen(plan_);  // without it the probes fail, which is told
  }
}

Status ProbeSession::round() {
  if (failing_) replan();
  OwnListener* listener = listener_ ? &*listener_ : nullptr;
  Result<std::vector<ProbeResult>> results = runner_.run(plan_.jobs, listener);
  if (!results) return results.error();
  if (listener != nullptr) listener->arrivals->clear();
  failing_ = false;
  for (const ProbeResult& r : *results) {
    failing_ = failing_ || !r.ok();
    failed_ = failed_ || (!r.ok() && r.measured());
    unmeasured_ = unmeasured_ || !r.measured();
    series_[{r.from, r.aim.target}].add(r);
  }
  show(*results);
  return ok();
}

void ProbeSession::show(const std::vector<ProbeResult>& results) {
  if (!o_.json && !o_.mesh.empty() && !results.empty()) {
    for (const std::string& line : render_matrix(results)) print(line);
    for (const ProbeResult& r : results) {
      if (!r.ok()) print(render_line(r));
    }
    return;
  }
  for (const ProbeResult& r : results) show_one(r);
}

void ProbeSession::show_one(const ProbeResult& r) {
  if (o_.json) return print(render_json(r));
  const Series& series = series_[{r.from, r.aim.target}];
  if (repeated() && !series.changed()) return;
  const std::string time = repeated() ? clock_text(r.time_ns) + "  " : "";
  std::vector<std::string> lines = render_text(r);
  if (const auto after = series.recovered_after())
    lines.front() +=
        ", after " + probe::seconds_text(std::chrono::milliseconds(static_cast<long>(*after * 1000)));
  lines.front() = time + lines.front();
  for (const std::string& line : lines) print(line);
}

void ProbeSession::show_summary() {
  if (!repeated()) return;
  for (const auto& [key, series] : series_) {
    print(o_.json ? series.json(key.first, key.second)
                  : key.second + " from " + key.first + ": " + series.text());
  }
}

Result<Verdict> ProbeSession::run() {
  Result<Plan> plan = make_plan();
  if (!plan) return plan.error();
  plan_ = std::move(*plan);
  if (o_.listen) {
    if (Status s = listen(plan_); !s) return s.error();
  }
  for (std::uint64_t i = 0; !runner_.stopped(); ++i) {
    if (Status s = round(); !s) return s.error();
    if (o_.count != 0 && i + 1 >= o_.count) break;
    if (!runner_.stopped()) runner_.pause(o_.interval, listener_ ? &*listener_ : nullptr);
  }
  show_summary();
  if (failed_) return Verdict::failed;
  return unmeasured_ ? Verdict::not_measured : Verdict::ok;
}

}  // namespace

Result<Verdict> run_probe(const ProbeOptions& options, std::ostream& out) {
  Result<UniqueFd> stop = stop_signals();
  if (!stop) return stop.error();
  return ProbeSession(options, out, std::move(*stop)).run();
}

}  // namespace podshark::extcap::probing
