// SPDX-License-Identifier: GPL-2.0-or-later
// podman starts one conmon per container (and one more per exec session). It runs as the container's owner,
// in the network namespace podman was called in; the container's first process is its child. Its arguments
// are world readable unless /proc is mounted with hidepid.
//
// A process inside a rootful container is uid 0 as well and may call itself conmon with arguments of its
// choice; it is recognised by its nested PID namespace and ignored.
#include "podman/discover/source_conmon.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "podman/core/proc.h"
#include "podman/discover/process_facts.h"

namespace podshark::discover {
namespace {

struct Conmon {
  pid_t pid = 0;
  std::string id;
  std::string name;
  std::string exit_command;  ///< program that cleans up after the container: then conmon's only child
};

bool is_id(const std::string& text) {
  return text.size() >= 12 && text.size() <= 64 &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// Empty id when the arguments are not those of a container's conmon.
Conmon conmon_from(pid_t pid, const std::string& proc) {
  const std::vector<std::string> args = read_cmdline(pid, proc);
  Conmon out;
  for (std::size_t i = 1; i < args.size(); ++i) {
    if (args[i] == "--exit-command") {
      if (i + 1 < args.size()) out.exit_command = args[i + 1];
      break;
    }
    if (args[i] == "-e" || args[i].starts_with("--exec")) return {};  // an exec session, not the container
    if (i + 1 == args.size()) break;
    if (args[i] == "-c" && is_id(args[i + 1])) out.id = args[i + 1];
    if (args[i] == "-n") out.name = args[i + 1].substr(0, 256);
    if (args[i] == "-c" || args[i] == "-n" || args[i] == "-b" || args[i] == "-p" || args[i] == "-u") ++i;
  }
  out.pid = out.id.empty() ? 0 : pid;
  return out;
}

struct Processes {
  std::vector<Conmon> conmons;
  std::unordered_map<pid_t, std::vector<pid_t>> children;  ///< of every process
};

Processes read_processes(const std::string& proc) {
  Processes out;
  for (const pid_t pid : list_pids(proc)) {
    const Result<ProcStat> stat = read_stat(pid, proc);
    if (!stat || stat->state == 'Z') continue;
    out.children[stat->ppid].push_back(pid);
    if (stat->comm != "conmon" || pid_namespace_depth(pid, proc) != 1) continue;
    const uid_t owner = process_owner(pid, proc);
    if (owner != 0 && owner != ::geteuid()) continue;
    Conmon conmon = conmon_from(pid, proc);
    if (conmon.pid != 0) out.conmons.push_back(std::move(conmon));
  }
  return out;
}

// The container's first process: PID 1 of a nested namespace, or with --pid=host the oldest child.
pid_t first_process(const Conmon& conmon, const std::vector<pid_t>& children, const std::string& proc) {
  pid_t oldest = 0;
  std::uint64_t oldest_start = 0;
  for (const pid_t pid : children) {
    const Result<ProcStat> stat = read_stat(pid, proc);
    if (!stat || stat->comm == "conmon") continue;
    if (is_namespace_init(pid, proc)) return pid;
    const std::vector<std::string> args = read_cmdline(pid, proc);
    const bool cleaning_up = !conmon.exit_command.empty() && !args.empty() &&
                             args[0] == conmon.exit_command &&
                             std::find(args.begin(), args.end(), "cleanup") != args.end();
    if (cleaning_up) continue;  // in the host's network: the container is over
    if (oldest == 0 || stat->start_time < oldest_start) {
      oldest = pid;
      oldest_start = stat->start_time;
    }
  }
  return oldest;
}

// podman names infra containers after the pod's id.
bool infra_name(const std::string& name) {
  return name.size() == 18 && name.ends_with("-infra") && name.find_first_not_of("0123456789abcdef") == 12;
}

model::Container container_from(const Conmon& conmon, pid_t pid, const std::string& proc) {
  model::Container c;
  c.id = conmon.id;
  c.name = conmon.name.empty() ? conmon.id.substr(0, 12) : conmon.name;
  c.state = "running";
  c.pid = pid;
  c.conmon_pid = conmon.pid;
  c.owner = process_owner(conmon.pid, proc);
  c.rootless = c.owner != 0;
  c.limited = true;
  c.infra = infra_name(c.name);
  return c;
}

// Of several containers in one network namespace the infra container, else the oldest, passes for its owner:
// members of a pod, --network container:X, or the same ns:PATH. The host's namespace is nobody's.
void mark_shared(std::vector<model::Container>& containers, const std::string& proc) {
  const auto rank = [&](const model::Container& c) {
    const Result<ProcStat> stat = read_stat(c.pid, proc);
    return std::tuple(!c.infra, stat ? stat->start_time : 0, c.id);
  };
  std::map<std::uint64_t, const model::Container*> owners;
  for (const model::Container& c : containers) {
    const std::uint64_t netns = netns_identity(c.pid, proc);
    if (netns == 0 || netns == netns_identity(c.conmon_pid, proc)) continue;
    const model::Container*& owner = owners[netns];
    if (owner == nullptr || rank(c) < rank(*owner)) owner = &c;
  }
  for (model::Container& c : containers) {
    const auto it = owners.find(netns_identity(c.pid, proc));
    if (it == owners.end() || it->second == &c) continue;
    c.kind = model::NetworkKind::shared;
    c.shares_with = it->second->id;
  }
}

}  // namespace

std::vector<model::Container> conmon_containers(const std::string& proc) {
  const Processes processes = read_processes(proc);
  std::vector<model::Container> out;
  for (const Conmon& conmon : processes.conmons) {
    const auto children = processes.children.find(conmon.pid);
    if (children == processes.children.end()) continue;
    const pid_t pid = first_process(conmon, children->second, proc);
    const bool known = std::any_of(out.begin(), out.end(), [&](const auto& c) { return c.id == conmon.id; });
    if (pid != 0 && !known) out.push_back(container_from(conmon, pid, proc));
  }
  mark_shared(out, proc);
  for (model::Container& c : out) complete_from_proc(c, proc);
  return out;
}

}  // namespace podshark::discover
