// SPDX-License-Identifier: GPL-2.0-or-later
// The parts of collect(), one file each.
#pragma once

#include "extcap/check/collect.h"
#include "extcap/check/resolver_trial.h"
#include "extcap/worker_client.h"

namespace podshark::extcap::check {

/// collect_netns.cpp: links, routes, neighbours, settings and listeners of one namespace. `pid`: a process in
/// it.
void read_netns(WorkerClient& worker, const NetnsPlace& place, pid_t pid, diagnose::Netns& out);
/// The host's ends of a container's links, and the host's routes to its addresses. `netlink`: a socket of the
/// namespace `net`, where its bridge is.
void read_host_side(int netlink, const diagnose::Netns& net, diagnose::ContainerFacts& container);
/// A NETLINK_ROUTE socket of the namespace; invalid when it may not be had.
[[nodiscard]] UniqueFd open_netlink(WorkerClient& worker, const NetnsPlace& place);

/// collect_firewall.cpp: all rules of a namespace. An Error says why they can not be read.
[[nodiscard]] Result<firewall::Ruleset> read_firewall(const NetnsPlace& place);
/// Of what nft, iptables-nft-save, ip6tables-nft-save and both legacy ones said: '0' and the listing, '1' and
/// why it failed, or "-": not installed or nothing to list. Without nft's part nothing is known; what else
/// failed is in the notes.
[[nodiscard]] Result<firewall::Ruleset> rules_of(const std::vector<std::string>& listings);
/// The notes as what could not be seen.
[[nodiscard]] std::vector<diagnose::Unseen> left_out(const firewall::Ruleset& rules, const std::string& of);
void read_firewalld(diagnose::Facts& facts, const std::string& root);

/// collect_podman.cpp: netavark's and aardvark-dns' own records, the uplink of the rootless networks,
/// podman's version and its events.
void read_netavark(diagnose::Facts& facts, const std::string& root);
void read_resolver(diagnose::Facts& facts, const std::string& root);
void read_uplink(diagnose::Facts& facts, const std::string& root);
void read_version(diagnose::Facts& facts);
void read_failed_restarts(diagnose::Facts& facts);

/// collect_processes.cpp: helpers of rootless containers, owners of the host's sockets, capabilities.
void read_helpers(diagnose::Facts& facts);
void read_owners(diagnose::Facts& facts);
void read_first_process(diagnose::ContainerFacts& container);

/// collect_system.cpp: sysctls, counters, connection tracking, TCP's state, name servers, the audit log.
void read_sysctls(const NetnsPlace& place, diagnose::Netns& out);
void read_counters(pid_t pid, diagnose::Netns& out);
void read_connections(diagnose::Facts& facts);
void read_tcp(const NetnsPlace& place, diagnose::Netns& out);
/// The host's, asked already.
[[nodiscard]] ResolverTrials ask_name_servers(const CollectOptions& options);
void read_security_log(diagnose::Facts& facts, const std::string& root);

}  // namespace podshark::extcap::check
