// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/check/collect.h"

#include <unistd.h>

#include "extcap/check/parts.h"
#include "podman/discover/rootless_netns.h"
#include "podman/discover/storage.h"

namespace podshark::extcap::check {
namespace {

using diagnose::ContainerFacts;
using diagnose::Facts;
using diagnose::Place;

bool claims_to_run(const model::Container& c) {
  return !c.alive() && (c.state == "running" || c.state == "paused" || c.state == "stopping");
}

void list_containers(Facts& facts) {
  for (const model::Container& c : facts.inventory.containers) {
    ContainerFacts entry;
    entry.container = &c;
    entry.claims_to_run = claims_to_run(c);
    entry.place = c.rootless ? Place::rootless : Place::host;
    if (const model::Pod* pod = facts.inventory.pod_by_id(c.pod_id)) entry.pod = pod->name;
    facts.containers.push_back(std::move(entry));
  }
}

void tell(Facts& facts, const std::string& what, const Error& error) {
  facts.unseen.push_back({what, error.what, error.hint});
}

// Everything about the namespaces that bridges are in.
void read_place(WorkerClient& worker, const NetnsPlace& place, pid_t pid, diagnose::Netns& out) {
  read_netns(worker, place, pid, out);
  read_sysctls(place, out);
}

void read_rules(Facts& facts, const NetnsPlace& place, const char* of, diagnose::Netns& out) {
  Result<firewall::Ruleset> rules = read_firewall(place);
  if (rules) {
    for (diagnose::Unseen& u : left_out(*rules, of)) facts.unseen.push_back(std::move(u));
    out.firewall = std::move(rules).value();
  } else {
    tell(facts, std::string("firewall rules of ") + of, rules.error());
  }
}

void read_host(Facts& facts, WorkerClient& worker) {
  read_place(worker, NetnsPlace::host(), ::getpid(), facts.host);
  read_counters(::getpid(), facts.host);
  read_rules(facts, NetnsPlace::host(), "the host", facts.host);
  read_connections(facts);
}

std::optional<NetnsPlace> rootless_place(const Facts& facts) {
  bool bridged = false;
  for (const ContainerFacts& c : facts.containers)
    bridged = bridged || (c.container->rootless && c.bridged());
  return bridged ? rootless_networks() : std::nullopt;
}

void read_rootless(Facts& facts, WorkerClient& worker, const NetnsPlace& place) {
  read_place(worker, place, 0, facts.rootless);
  read_rules(facts, place, "the rootless networks", facts.rootless);
}

// A socket of the namespace that the container's bridge is in.
struct HostSide {
  UniqueFd host, rootless;
  [[nodiscard]] int of(Place place) const { return place == Place::host ? host.get() : rootless.get(); }
};

void read_container(Facts& facts, WorkerClient& worker, const HostSide& bridges, ContainerFacts& c) {
  if (!c.container->alive() || c.container->kind == model::NetworkKind::host) return;
  const NetnsPlace place = NetnsPlace::of(*c.container);
  read_netns(worker, place, c.container->pid, c.net);
  read_counters(c.container->pid, c.net);
  read_first_process(c);
  const bool ours = facts.caller == 0 || c.container->rootless;
  if (ours) read_tcp(place, c.net);
  if (ours && facts.question.protocol == "icmp") read_sysctls(place, c.net);
  if (!c.net.visible) {
    facts.unseen.push_back({"links and routes inside " + c.subject(),
                            "its network namespace may not be entered",
                            "run podshark with sudo, or join group wireshark"});
  }
  if (c.bridged() && bridges.of(c.place) >= 0) read_host_side(bridges.of(c.place), facts.where(c.place), c);
}

}  // namespace

std::optional<NetnsPlace> rootless_networks() {
  Result<UniqueFd> fd = discover::open_rootless_netns(discover::calling_user());
  if (!fd) return std::nullopt;
  NetnsPlace place;
  place.kind = NetnsPlace::Kind::descriptor;
  place.fd = std::make_shared<UniqueFd>(std::move(fd).value());
  return place;
}

void collect_rules(Facts& facts) {
  facts.caller = ::geteuid();
  list_containers(facts);
  WorkerClient worker;
  read_netns(worker, NetnsPlace::host(), ::getpid(), facts.host);
  read_rules(facts, NetnsPlace::host(), "the host", facts.host);
  const std::optional<NetnsPlace> rootless = rootless_place(facts);
  if (!rootless) return;
  read_netns(worker, *rootless, 0, facts.rootless);
  read_rules(facts, *rootless, "the rootless networks", facts.rootless);
}

void collect_elsewhere(Facts& facts, uid_t caller, const std::string& host) {
  facts.caller = caller;
  list_containers(facts);
  facts.unseen.push_back({"all but what podman of " + host + " says", "podshark is not installed there",
                          "install it there: firewall, routes, listeners and processes are looked at then"});
}

void collect(Facts& facts, const CollectOptions& options) {
  facts.caller = ::geteuid();
  ResolverTrials name_servers = ask_name_servers(options);
  list_containers(facts);
  WorkerClient worker;
  read_host(facts, worker);
  const std::optional<NetnsPlace> rootless = rootless_place(facts);
  if (rootless) read_rootless(facts, worker, *rootless);
  const HostSide bridges{open_netlink(worker, NetnsPlace::host()),
                         rootless ? open_netlink(worker, *rootless) : UniqueFd()};
  for (ContainerFacts& c : facts.containers) read_container(facts, worker, bridges, c);
  read_owners(facts);
  read_helpers(facts);
  read_netavark(facts, options.root);
  read_resolver(facts, options.root);
  if (rootless) read_uplink(facts, options.root);
  read_version(facts);
  read_failed_restarts(facts);
  read_firewalld(facts, options.root);
  facts.trials = name_servers.finish();
  read_security_log(facts, options.root);
}

}  // namespace podshark::extcap::check
