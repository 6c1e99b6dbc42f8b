// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

#include "extcap/check/parts.h"
#include "podman/api/netavark.h"
#include "podman/api/parse.h"
#include "podman/core/proc.h"
#include "podman/core/process.h"
#include "podman/core/text.h"
#include "podman/discover/storage.h"

namespace podshark::extcap::check {
namespace {

using diagnose::Facts;

constexpr std::size_t kMaxFile = 1U << 20U;
constexpr std::size_t kMaxFiles = 10'000;
constexpr std::size_t kMaxEvents = 16U << 20U;

std::vector<std::string> files_of(const std::string& directory) {
  std::vector<std::string> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory.c_str()), ::closedir);
  while (open && out.size() < kMaxFiles) {
    const dirent* entry = ::readdir(open.get());
    if (entry == nullptr) break;
    if (entry->d_name[0] != '.') out.emplace_back(entry->d_name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

// netavark's and aardvark-dns' run directory of the caller's podman.
std::string run_directory(const Facts& facts, const std::string& root) {
  if (facts.caller == 0) return root + "/run/containers/networks";
  return root + discover::calling_user().runtime_dir + "/containers/networks";
}

// A pid file's process, 0 without one.
pid_t read_pid(const std::string& path) {
  const Result<std::string> text = read_file(path, 256);
  std::uint64_t pid = 0;
  if (!text || !parse_number(std::string(trim(*text)), 1U << 30U, pid)) return 0;
  return static_cast<pid_t>(pid);
}

bool runs(pid_t pid, const std::string& comm) {
  const Result<ProcStat> stat = read_stat(pid, "/proc");
  return stat && stat->comm == comm && stat->state != 'Z';
}

// One that the caller's podman knows, which ended with a published port and tells nothing of a failed start.
bool may_have_failed(const Facts& facts, const diagnose::ContainerFacts& c) {
  const model::Container& it = *c.container;
  return !it.alive() && !c.claims_to_run && it.rootless == (facts.caller != 0) && it.started_at > 0 &&
         it.error.empty() && !it.ports.empty();
}

}  // namespace

void read_netavark(Facts& facts, const std::string& root) {
  if (facts.caller != 0) return;
  const std::string directory = root + "/run/containers/networks/firewall";
  const Result<std::string> driver = read_file(directory + "/firewall-driver", 256);
  if (!driver) return;  // before netavark 1.9
  facts.intended.driver = std::string(trim(*driver));
  for (const std::string& name : files_of(directory + "/ports")) {
    const Result<std::string> text = read_file(directory + "/ports/" + name, kMaxFile);
    const auto parsed = text ? api::parse_netavark_ports(*text) : Result<api::NetavarkPorts>(text.error());
    if (!parsed) continue;
    for (const model::PortMapping& port : parsed->ports)
      facts.intended.ports.push_back({parsed->container_id, port});
  }
}

void read_resolver(Facts& facts, const std::string& root) {
  facts.resolver.pid = read_pid(run_directory(facts, root) + "/aardvark-dns/aardvark.pid");
  facts.resolver.alive = facts.resolver.pid != 0 && runs(facts.resolver.pid, "aardvark-dns");
}

void read_uplink(Facts& facts, const std::string& root) {
  const std::string runtime = root + discover::calling_user().runtime_dir;
  // podman 5, which may have been told to use slirp4netns; else podman 4.
  facts.uplink = {read_pid(runtime + "/containers/networks/rootless-netns/rootless-netns-conn.pid"), "pasta"};
  if (facts.uplink.pid == 0)
    facts.uplink = {read_pid(runtime + "/libpod/tmp/rootless-netns/rootless-netns-slirp4netns.pid"),
                    "slirp4netns"};
  else if (runs(facts.uplink.pid, "slirp4netns"))
    facts.uplink.program = "slirp4netns";
}

// Only an upgrade leaves containers whose mode the new podman does not know.
void read_version(Facts& facts) {
  const auto old = [](const diagnose::ContainerFacts& c) {
    return !c.container->alive() && c.container->mode.starts_with("slirp4netns");
  };
  if (std::none_of(facts.containers.begin(), facts.containers.end(), old)) return;
  const Result<Output> answer = podshark::run({"podman", "--version"}, std::chrono::seconds(2), 4096);
  if (!answer) return;
  const std::vector<std::string> said = words(trim(answer->out));  // "podman version 5.4.2"
  if (!said.empty()) facts.podman_version = said.back();
}

// podman 5 keeps why a start failed, but not why a restart did. What remains is an event that no start
// followed.
void read_failed_restarts(Facts& facts) {
  std::int64_t since = 0;
  for (const diagnose::ContainerFacts& c : facts.containers) {
    if (may_have_failed(facts, c) && (since == 0 || c.container->started_at < since))
      since = c.container->started_at;
  }
  if (since == 0) return;
  const Result<Output> events =
      podshark::run({"podman", "--remote=false", "events", "--stream=false", "--since", std::to_string(since),
                     "--filter", "event=restart", "--filter", "event=start", "--format", "json"},
                    std::chrono::seconds(3), kMaxEvents);
  if (!events || events->exit_code != 0) {
    facts.unseen.push_back({"restarts that failed", "podman cannot tell its events",
                            "events_logger of section [engine] in containers.conf may forbid it"});
    return;
  }
  std::map<std::string, std::string> last;
  for (const std::string& line : split(events->out, '\n')) {
    if (const auto event = api::parse_container_event(line)) last[event->container.id] = event->status;
  }
  for (diagnose::ContainerFacts& c : facts.containers)
    c.restart_failed = may_have_failed(facts, c) && last[c.container->id] == "restart";
}

}  // namespace podshark::extcap::check
