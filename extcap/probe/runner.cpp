// SPDX-License-Identifier: GPL-2.0-or-later
// A batch is one poll loop: sockets of all jobs are opened first (one request per source), then all machines
// run, then /proc is looked at while their sockets are still open.
#include "extcap/probe/runner.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "extcap/probe/look.h"
#include "extcap/probe/outside.h"
#include "extcap/probe/records.h"
#include "podman/core/clock.h"
#include "podman/core/text.h"
#include "podman/kernel/conntrack.h"
#include "podman/probe/dns.h"
#include "podman/probe/icmp.h"
#include "podman/probe/path_mtu.h"
#include "podman/probe/tcp.h"
#include "podman/probe/udp.h"

namespace podshark::extcap::probing {
namespace {

using probe::Clock;
using probe::Protocol;
using std::chrono::milliseconds;

constexpr milliseconds kGrace{500};  // beyond the machines' own deadlines
constexpr std::uint16_t kDnsPort = 53;

std::uint64_t random_number() {
  std::uint64_t out = 0;
  if (::getrandom(&out, sizeof(out), GRND_NONBLOCK) != static_cast<ssize_t>(sizeof(out)))
    out = static_cast<std::uint64_t>(now_ns());
  return out;
}

std::string payload_for(const Aim& aim, const std::string& id, bool listens) {
  // A name server ignores what is no query.
  if (!listens && (aim.container_port == kDnsPort || aim.to.port == kDnsPort)) {
    return probe::dns_query(static_cast<std::uint16_t>(random_number()), ".", probe::kDnsA).value_or("");
  }
  return "podshark " + id + "\n";
}

std::unique_ptr<probe::SocketProbe> make_machine(UniqueFd fd, const Aim& aim, milliseconds timeout,
                                                 const std::string& id, bool listens) {
  switch (aim.protocol) {
    case Protocol::tcp:
      return std::make_unique<probe::TcpProbe>(std::move(fd), aim.to, timeout,
                                               listens ? payload_for(aim, id, true) : std::string());
    case Protocol::udp:
      return std::make_unique<probe::UdpProbe>(std::move(fd), aim.to, timeout, payload_for(aim, id, listens));
    case Protocol::icmp:
      return std::make_unique<probe::IcmpProbe>(std::move(fd), aim.to, timeout);
    case Protocol::path_mtu:
      return std::make_unique<probe::PathMtuProbe>(std::move(fd), aim.to, timeout);
    case Protocol::dns:
      break;
  }
  return std::make_unique<probe::DnsProbe>(std::move(fd), aim.to, timeout, aim.dns_names,
                                           static_cast<std::uint16_t>(random_number()));
}

class Pause : public probe::Machine {
 public:
  explicit Pause(milliseconds time) : time_(time) {}
  void begin(probe::TimePoint now) override { until_ = now + time_; }
  void on_ready(probe::TimePoint /*now*/) override {}
  void on_time(probe::TimePoint /*now*/) override { done_ = true; }
  [[nodiscard]] bool done() const override { return done_; }
  [[nodiscard]] probe::TimePoint wake() const override { return until_; }
  void interests(std::vector<Interest>& /*out*/) const override {}

 private:
  milliseconds time_;
  probe::TimePoint until_{};
  bool done_ = false;
};

// A helper of the loop: machines begin in their order, helpers last, so what it calls finds all of them
// begun.
class AfterBegin : public probe::Machine {
 public:
  explicit AfterBegin(std::function<void()> call) : call_(std::move(call)) {}
  void begin(probe::TimePoint /*now*/) override { call_(); }
  void on_ready(probe::TimePoint /*now*/) override {}
  void on_time(probe::TimePoint /*now*/) override {}
  [[nodiscard]] bool done() const override { return true; }
  [[nodiscard]] probe::TimePoint wake() const override { return probe::TimePoint::max(); }
  void interests(std::vector<Interest>& /*out*/) const override {}

 private:
  std::function<void()> call_;
};

// Only root sees the translations, and only rootful containers' ports are made by translation.
bool translated(const ProbeResult& r) {
  return r.aim.published && !r.aim.container.rootless && ::geteuid() == 0;
}

std::vector<probe::Machine*> helpers_of(OwnListener* listener) {
  return listener == nullptr ? std::vector<probe::Machine*>()
                             : std::vector<probe::Machine*>{listener->machine.get()};
}

// The arrival that says our number; else, as a forwarder may have cut it, the first one since.
const probe::Arrival* find_arrival(const std::vector<probe::Arrival>& arrivals, std::int64_t since,
                                   const std::string& id) {
  const probe::Arrival* first = nullptr;
  for (const probe::Arrival& a : arrivals) {
    if (a.said.find(id) != std::string::npos) return &a;
    if (first == nullptr && a.time_ns >= since && a.said.empty()) first = &a;
  }
  return first;
}

}  // namespace

std::string random_id() {
  return hex(random_number() & 0xFFFFFFFFU, 8);
}

// One socket per job. An error that only concerns some jobs is put beside their (invalid) sockets.
Status Runner::open_all(const Job* jobs, std::size_t count, std::vector<UniqueFd>& fds,
                        std::vector<Error>& errors) {
  fds.resize(count);
  errors.resize(count);
  std::map<std::pair<pid_t, SocketKind>, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < count; ++i)
    groups[{jobs[i].source.pid, socket_kind(jobs[i].aim.protocol)}].push_back(i);
  for (const auto& [key, members] : groups) {
    std::vector<SocketWish> wishes;
    for (const std::size_t i : members) wishes.push_back({key.second, jobs[i].aim.to.address.is_v4()});
    Result<std::vector<UniqueFd>> opened = open_sockets(worker_, jobs[members.front()].source, wishes);
    if (!opened && opened.error().kind == ErrorKind::permission) return opened.error();
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (opened) fds[members[i]] = std::move((*opened)[i]);
      if (!opened) errors[members[i]] = opened.error();
    }
  }
  return ok();
}

void Runner::tell_started(std::vector<ProbeResult>& results,
                          const std::vector<std::unique_ptr<probe::SocketProbe>>& machines) const {
  if (!tell_) return;
  std::vector<model::Conntrack> connections;
  if (std::any_of(results.begin(), results.end(), translated)) {
    Result<std::vector<model::Conntrack>> entries = kernel::conntrack_entries();
    if (entries) connections = std::move(*entries);
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!machines[i]) continue;
    results[i].attempt = machines[i]->attempt();
    tell_(started_record(results[i], translated(results[i]) ? reply_tuple(results[i].attempt, connections)
                                                            : annotate::Event::Tuple{}));
  }
}

Status Runner::run_some(const Job* jobs, std::size_t count, OwnListener* listener,
                        std::vector<ProbeResult>& out) {
  std::vector<UniqueFd> fds;
  std::vector<Error> errors;
  if (Status s = open_all(jobs, count, fds, errors); !s) return s;
  const std::int64_t begin_ns = now_ns();
  std::vector<ProbeResult> results(count);
  std::vector<std::unique_ptr<probe::SocketProbe>> machines(count);
  std::vector<probe::Machine*> running;
  for (std::size_t i = 0; i < count; ++i) {
    ProbeResult& r = results[i];
    r.time_ns = begin_ns;
    r.id = random_id();
    r.from = jobs[i].source.name;
    r.aim = jobs[i].aim;
    r.listened = listener != nullptr;
    if (!fds[i]) continue;
    machines[i] = make_machine(std::move(fds[i]), r.aim, timeout_, r.id, r.listened);
    running.push_back(machines[i].get());
  }
  AfterBegin begun([&] { tell_started(results, machines); });
  std::vector<probe::Machine*> helpers = helpers_of(listener);
  helpers.push_back(&begun);
  if (!probe::run(running, helpers, Clock::now() + timeout_ + kGrace, stop_fd_)) stopped_ = true;
  if (listener != nullptr) listener->machine->report_all();
  for (std::size_t i = 0; i < count; ++i) {
    ProbeResult& r = results[i];
    if (!machines[i]) {
      r.attempt.protocol = r.aim.protocol;
      r.attempt.remote = r.aim.to;
      r.attempt.not_measured = errors[i].line();
    } else if (!machines[i]->done()) {
      if (stopped_) continue;  // no result: it was ended
      r.attempt.not_measured = "it did not come to an end";
    } else {
      r.attempt = machines[i]->attempt();
    }
    judge(listener, look(jobs[i].source, r.aim, r.attempt, timeout_), r);
    out.push_back(std::move(r));
  }
  return ok();
}

void Runner::judge(const OwnListener* listener, probe::Evidence e, ProbeResult& r) const {
  if (listener != nullptr) {
    const probe::Arrival* seen = find_arrival(*listener->arrivals, r.time_ns, r.id);
    if (seen != nullptr) r.arrival = *seen;
    e.expected = listener->answer;
    e.arrived = seen != nullptr;
  }
  r.conclusion = probe::conclude(e);
  if (tell_) tell_(ended_record(r, now_ns()));
}

// As run_some, from other machines: there is no socket of ours, so no record of its beginning either.
void Runner::run_outside(const Job* jobs, std::size_t count, OwnListener* listener,
                         std::vector<ProbeResult>& out) {
  std::vector<ProbeResult> results(count);
  std::vector<std::unique_ptr<OutsideProbe>> machines(count);
  std::vector<std::optional<std::uint32_t>> held(count);
  std::vector<probe::Machine*> running;
  for (std::size_t i = 0; i < count; ++i) {
    ProbeResult& r = results[i];
    r.time_ns = now_ns();
    r.id = random_id();
    r.from = jobs[i].source.name;
    r.aim = jobs[i].aim;
    r.listened = listener != nullptr;
    held[i] = held_now(r.aim);
    machines[i] = std::make_unique<OutsideProbe>(jobs[i].source.ssh, r.aim.to, timeout_,
                                                 r.listened ? "podshark " + r.id : std::string());
    running.push_back(machines[i].get());
  }
  if (!probe::run(running, helpers_of(listener), Clock::now() + OutsideProbe::longest(timeout_) + kGrace,
                  stop_fd_))
    stopped_ = true;
  if (listener != nullptr) listener->machine->report_all();
  for (std::size_t i = 0; i < count; ++i) {
    ProbeResult& r = results[i];
    if (!machines[i]->done()) continue;
    r.attempt = machines[i]->attempt();
    probe::Evidence e = look(jobs[i].source, r.aim, r.attempt, timeout_);
    // What waited there before is not ours.
    if (e.held && held[i] && *e.held <= *held[i]) e.held = 0;
    judge(listener, std::move(e), r);
    out.push_back(std::move(r));
  }
}

Result<std::vector<ProbeResult>> Runner::run(const std::vector<Job>& jobs, OwnListener* listener) {
  std::vector<ProbeResult> out;
  const bool outside = !jobs.empty() && !jobs.front().source.ssh.empty();
  const std::size_t most = outside ? kLoginsAtOnce : kAtOnce;
  for (std::size_t done = 0; done < jobs.size() && !stopped_; done += most) {
    const std::size_t count = std::min(most, jobs.size() - done);
    if (outside) {
      run_outside(jobs.data() + done, count, listener, out);
      continue;
    }
    if (Status s = run_some(jobs.data() + done, count, listener, out); !s) return s.error();
  }
  return out;
}

void Runner::pause(milliseconds time, OwnListener* listener) {
  Pause pause(time);
  if (!probe::run({&pause}, helpers_of(listener), probe::TimePoint::max(), stop_fd_)) stopped_ = true;
}

}  // namespace podshark::extcap::probing
