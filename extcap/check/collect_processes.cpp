// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "extcap/check/parts.h"
#include "extcap/probe/names.h"
#include "podman/core/proc.h"
#include "podman/core/text.h"
#include "podman/discover/proc_sockets.h"
#include "podman/discover/process_facts.h"

namespace podshark::extcap::check {
namespace {

using diagnose::ContainerFacts;
using diagnose::Facts;
using diagnose::Helper;

std::optional<Helper::Kind> helper_kind(const std::string& comm) {
  if (comm.starts_with("pasta") || comm.starts_with("passt")) return Helper::Kind::pasta;
  if (comm == "slirp4netns") return Helper::Kind::slirp4netns;
  if (comm.starts_with("rootlessport")) return Helper::Kind::rootlessport;
  return std::nullopt;
}

// The file of a namespace is the same for its container and for the helper's command line.
bool serves(const Helper& helper, const ContainerFacts& c) {
  // rootlessport's first thread sits in the container's namespace; pasta and slirp4netns in the host's.
  if (helper.kind == Helper::Kind::rootlessport)
    return discover::netns_identity(helper.pid, "/proc") ==
           discover::netns_identity(c.container->pid, "/proc");
  if (helper.kind == Helper::Kind::slirp4netns) return c.container->kind == model::NetworkKind::slirp4netns;
  return false;  // pasta: its link inside tells better whether it lives
}

}  // namespace

void read_helpers(Facts& facts) {
  std::vector<Helper> helpers;
  for (const pid_t pid : list_pids("/proc")) {
    const Result<ProcStat> stat = read_stat(pid, "/proc");
    const std::optional<Helper::Kind> kind =
        stat && stat->state != 'Z' ? helper_kind(stat->comm) : std::nullopt;
    if (!kind || discover::process_owner(pid, "/proc") != facts.caller) continue;
    helpers.push_back({*kind, pid, read_cmdline(pid, "/proc")});
  }
  for (ContainerFacts& c : facts.containers) {
    if (!c.container->rootless || !c.container->alive()) continue;
    std::copy_if(helpers.begin(), helpers.end(), std::back_inserter(c.helpers),
                 [&](const Helper& h) { return serves(h, c); });
  }
}

void read_owners(Facts& facts) {
  std::vector<std::uint64_t> wanted;
  for (const auto* net : {&facts.host, &facts.rootless}) {
    for (const model::Listener& l : net->listeners) wanted.push_back(l.inode);
  }
  const auto owners = discover::socket_owners(wanted);
  for (auto* net : {&facts.host, &facts.rootless}) {
    for (model::Listener& l : net->listeners) {
      const auto it = owners.find(l.inode);
      if (it == owners.end()) continue;
      l.pid = it->second.pid;
      l.program = it->second.program;
    }
  }
}

void read_first_process(ContainerFacts& c) {
  constexpr std::size_t kMaxFile = 65536;
  const std::string proc = "/proc/" + std::to_string(c.container->pid);
  if (const Result<std::string> status = read_file(proc + "/status", kMaxFile)) {
    for (const std::string& line : split(*status, '\n')) {
      if (line.starts_with("CapEff:")) c.capabilities = std::strtoull(line.c_str() + 7, nullptr, 16);
    }
  }
  // The file is the container's: it may be a link that leads out, or a fifo.
  if (const Result<probing::NameService> names = probing::read_name_service(c.container->pid)) {
    for (const IpAddress& server : names->servers) c.nameservers.push_back(server.text());
    c.resolv_known = !names->servers.empty();
  }
}

}  // namespace podshark::extcap::check
