// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/discover/source_podman.h"

#include <algorithm>
#include <array>

#include "podman/api/parse.h"
#include "podman/core/proc.h"
#include "podman/core/text.h"
#include "podman/discover/network_kind.h"
#include "podman/discover/process_facts.h"

namespace podshark::discover {
namespace {

using model::Container;
using model::Inventory;

constexpr std::size_t kMaxProblem = 300;

// One conversation: remembers where the problems go.
class Asking {
 public:
  Asking(api::Transport& transport, Inventory& out) : transport_(transport), out_(out) {}

  void problem(const std::string& what, const std::string& hint = {}) {
    out_.problems.push_back({transport_.source(), one_line(what, kMaxProblem), hint});
  }

  // The parsed answer, or nothing after noting why.
  template <typename T>
  std::vector<T> items(Result<std::string> answer, Result<api::Parsed<T>> (*parse)(std::string_view),
                       bool* good) {
    *good = false;
    if (!answer) {
      problem(answer.error().what, answer.error().hint);
      return {};
    }
    Result<api::Parsed<T>> parsed = parse(*answer);
    if (!parsed) {
      problem(parsed.error().what, parsed.error().hint);
      return {};
    }
    for (const std::string& note : parsed->notes) problem(note);
    *good = true;
    return std::move(parsed->items);
  }

 private:
  api::Transport& transport_;
  Inventory& out_;
};

bool stopped(const Container& c) {
  constexpr std::array<const char*, 6> kStopped{"created", "configured", "exited",
                                                "stopped", "removing",   "dead"};
  return c.pid == 0 &&
         std::any_of(kStopped.begin(), kStopped.end(), [&](const char* s) { return c.state == s; });
}

// inspect is later than ps and knows more, but says nothing of port ranges.
void merge_details(Container& c, Container details) {
  details.ports = std::move(c.ports);
  details.netns = c.netns;
  if (details.name.empty()) details.name = std::move(c.name);
  if (details.image.empty()) details.image = std::move(c.image);
  if (details.image_id.empty()) details.image_id = std::move(c.image_id);
  if (details.state.empty()) details.state = std::move(c.state);
  if (details.pod_id.empty()) details.pod_id = std::move(c.pod_id);
  if (details.created_at == 0) details.created_at = c.created_at;
  if (details.started_at == 0) details.started_at = c.started_at;
  details.infra = details.infra || c.infra;
  c = std::move(details);
}

const Container* find(const std::vector<Container>& list, const std::string& id) {
  const auto it = std::find_if(list.begin(), list.end(), [&](const Container& c) { return c.id == id; });
  return it == list.end() ? nullptr : &*it;
}

void add_details(std::vector<Container>& containers, std::vector<Container> details) {
  for (Container& d : details) {
    const auto it =
        std::find_if(containers.begin(), containers.end(), [&](const Container& c) { return c.id == d.id; });
    if (it != containers.end()) merge_details(*it, std::move(d));
  }
}

// podman's pid is a rumour: it stays in the database when conmon and container were killed, and may be
// another process by now. Returns false when the container has no process any more.
bool verify_process(Container& c, const std::string& proc) {
  if (c.pid == 0) return true;
  const Result<ProcStat> stat = read_stat(c.pid, proc);
  bool good = stat && stat->state != 'Z' && stat->state != 'X';
  if (good && c.conmon_pid != 0) {
    good = stat->ppid == c.conmon_pid;
  } else if (good) {
    const Result<ProcStat> parent = read_stat(stat->ppid, proc);
    good = parent && parent->comm == "conmon";
    if (good) c.conmon_pid = stat->ppid;
  }
  if (!good) c.pid = 0;
  return good;
}

void verify_processes(std::vector<Container>& containers, const std::string& proc, Asking& asking) {
  std::string dead;
  std::size_t count = 0;
  for (Container& c : containers) {
    if (c.pid != 0 && !verify_process(c, proc)) {
      dead += (dead.empty() ? "'" : ", '") + one_line(c.name, 64) + "'";
      ++count;
    }
    if (c.pid != 0) {
      complete_from_proc(c, proc);
    } else {
      c.netns = 0;
      c.netns_path.clear();
    }
  }
  if (count == 0) return;
  asking.problem("podman calls " + dead + " running, but " +
                     (count == 1 ? "its process is" : "their processes are") + " gone",
                 "`podman start` or `podman rm -f` repairs podman's state");
}

std::vector<std::string> network_names(const std::vector<Container>& containers) {
  std::set<std::string> names;
  for (const Container& c : containers) {
    for (const model::Attachment& a : c.networks) {
      if (!a.network.empty()) names.insert(a.network);
    }
  }
  return {names.begin(), names.end()};
}

// Without `pod ps`: what the rows of ps say.
std::vector<model::Pod> pods_from_rows(const std::vector<api::PsRow>& rows) {
  std::vector<model::Pod> out;
  for (const api::PsRow& row : rows) {
    const Container& c = row.container;
    if (c.pod_id.empty()) continue;
    auto it = std::find_if(out.begin(), out.end(), [&](const model::Pod& p) { return p.id == c.pod_id; });
    if (it == out.end()) {
      model::Pod pod;
      pod.id = c.pod_id;
      pod.name = row.pod_name;
      it = out.insert(out.end(), std::move(pod));
    }
    it->members.push_back(c.id);
    if (c.infra) it->infra_id = c.id;
  }
  return out;
}

void add_pods(api::Transport& transport, Asking& asking, const PodmanQuery& query,
              const std::vector<api::PsRow>& rows, api::Deadline deadline, Inventory& out) {
  std::vector<model::Pod> pods = pods_from_rows(rows);
  if (pods.empty() && !query.all) return;
  bool good = false;
  std::vector<model::Pod> told = asking.items(transport.pods(deadline), api::parse_pods, &good);
  for (model::Pod& pod : good ? told : pods) {
    const bool shown = std::any_of(out.containers.begin(), out.containers.end(),
                                   [&](const Container& c) { return c.pod_id == pod.id; });
    if (shown || query.all) out.pods.push_back(std::move(pod));
  }
}

void add_networks(api::Transport& transport, Asking& asking, api::Deadline deadline, Inventory& out) {
  std::vector<api::NetworkDetails> networks;
  // First by mode alone: it drops the networks "host", "none" and "pasta" of 5.x, which do not exist.
  for (Container& c : out.containers) set_network_kind(c, {});
  const std::vector<std::string> names = network_names(out.containers);
  bool good = false;
  if (!names.empty())
    networks = asking.items(transport.networks(names, deadline), api::parse_networks, &good);
  for (Container& c : out.containers) {
    set_network_kind(c, networks);
    set_link_names(c, networks);
  }
  for (api::NetworkDetails& n : networks) {
    if (std::find(names.begin(), names.end(), n.network.name) != names.end()) {
      out.networks.push_back(std::move(n.network));
    }
  }
}

}  // namespace

PodmanAnswer ask_podman(api::Transport& transport, const PodmanQuery& query,
                        const std::vector<Container>& seen, api::Deadline deadline) {
  PodmanAnswer out;
  Inventory& inventory = out.inventory;
  Asking asking(transport, inventory);
  std::vector<api::PsRow> rows = asking.items(transport.ps(deadline), api::parse_ps, &out.answered);
  std::vector<std::string> ids;
  for (const api::PsRow& row : rows) {
    out.known.insert(row.container.id);
    if (!query.all && stopped(row.container)) continue;
    inventory.containers.push_back(row.container);
    ids.push_back(row.container.id);
  }
  bool good = false;
  if (!ids.empty()) {
    add_details(inventory.containers,
                asking.items(transport.inspect(ids, deadline), api::parse_inspect, &good));
    add_networks(transport, asking, deadline, inventory);
  }
  add_pods(transport, asking, query, rows, deadline, inventory);
  for (Container& c : inventory.containers) {
    c.owner = query.owner;
    c.rootless = query.owner != 0;
    const Container* by_conmon = find(seen, c.id);
    if (c.conmon_pid == 0 && by_conmon != nullptr && by_conmon->pid == c.pid)
      c.conmon_pid = by_conmon->conmon_pid;
  }
  verify_processes(inventory.containers, query.proc, asking);
  return out;
}

}  // namespace podshark::discover
