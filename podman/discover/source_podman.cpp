// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/discover/source_podman.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

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

// One conversation. It ends with the first question that fails: a podman that hangs or prints nonsense does
// so again, and one line about it is enough.
class Asking {
 public:
  Asking(api::Transport& transport, Inventory& out) : transport_(transport), out_(out) {}

  [[nodiscard]] api::Transport& transport() { return transport_; }
  [[nodiscard]] bool failed() const { return failed_; }

  void problem(const std::string& what, const std::string& hint = {}) {
    out_.problems.push_back({transport_.source(), one_line(what, kMaxProblem), hint});
  }

  /// The parsed answer of `question`; nothing after a failure, this one (which is noted) or an earlier one.
  template <typename T, typename Question>
  std::optional<std::vector<T>> ask(Question question, Result<api::Parsed<T>> (*parse)(std::string_view)) {
    if (failed_) return std::nullopt;
    const Result<std::string> answer = question();
    if (!answer) return fail(answer.error());
    Result<api::Parsed<T>> parsed = parse(*answer);
    if (!parsed) return fail(parsed.error());
    for (const std::string& note : parsed->notes) problem(note);
    return std::move(parsed->items);
  }

 private:
  std::nullopt_t fail(const Error& error) {
    failed_ = true;
    problem(error.what, error.hint);
    return std::nullopt;
  }

  api::Transport& transport_;
  Inventory& out_;
  bool failed_ = false;
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

bool is_conmon(pid_t pid, const std::string& proc) {
  const Result<ProcStat> stat = read_stat(pid, proc);
  return stat && stat->comm == "conmon" && stat->state != 'Z';
}

// podman's pid is a rumour: it stays in the database when conmon and container were killed, and may be
// another process by now. Returns false when the container has no process any more.
bool verify_process(Container& c, const std::string& proc) {
  if (c.pid == 0) return true;
  if (c.owner != ::geteuid() && !read_stat(1, proc)) return true;  // hidepid: not to be seen
  const Result<ProcStat> stat = read_stat(c.pid, proc);
  bool good = stat && stat->state != 'Z' && stat->state != 'X';
  if (good && c.conmon_pid != 0) {
    good = stat->ppid == c.conmon_pid;
  } else if (good) {
    good = is_conmon(stat->ppid, proc);
    if (good) c.conmon_pid = stat->ppid;
  }
  if (!good) c.pid = 0;
  return good;
}

void verify_processes(std::vector<Container>& containers, const std::string& proc, Asking& asking) {
  std::string dead;
  std::size_t count = 0;
  for (Container& c : containers) {
    const bool gone = c.pid != 0 && !verify_process(c, proc);
    if (gone && c.conmon_pid != 0 && is_conmon(c.conmon_pid, proc)) {
      c.state = "exited";  // just now: podman learns it from conmon
    } else if (gone) {
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
  for (model::Pod& pod : out) std::sort(pod.members.begin(), pod.members.end());
  return out;
}

void add_pods(Asking& asking, const PodmanQuery& query, const std::vector<api::PsRow>& rows,
              api::Deadline deadline, Inventory& out) {
  std::vector<model::Pod> pods = pods_from_rows(rows);
  if (pods.empty() && !query.all) return;
  auto told = asking.ask<model::Pod>([&] { return asking.transport().pods(deadline); }, api::parse_pods);
  for (model::Pod& pod : told ? *told : pods) {
    const bool shown = std::any_of(out.containers.begin(), out.containers.end(),
                                   [&](const Container& c) { return c.pod_id == pod.id; });
    if (shown || query.all) out.pods.push_back(std::move(pod));
  }
}

// kube play names a container POD-CONTAINER and writes neither name down anywhere else (4.3 to 5.8).
void set_kubernetes_names(Inventory& inventory) {
  for (Container& c : inventory.containers) {
    const model::Pod* pod = c.kubernetes.container.empty() ? nullptr : inventory.pod_by_id(c.pod_id);
    const std::string prefix = pod == nullptr ? std::string() : pod->name + "-";
    const bool played = pod != nullptr && c.name.size() > prefix.size() && c.name.starts_with(prefix);
    c.kubernetes = played ? model::KubeName{{}, pod->name, c.name.substr(prefix.size())} : model::KubeName{};
  }
}

void add_networks(Asking& asking, api::Deadline deadline, Inventory& out) {
  // First by mode alone: it drops the networks "host", "none" and "pasta" of 5.x, which do not exist.
  for (Container& c : out.containers) set_network_kind(c, {});
  const std::vector<std::string> names = network_names(out.containers);
  if (names.empty()) return;
  auto networks = asking.ask<api::NetworkDetails>(
      [&] { return asking.transport().networks(names, deadline); }, api::parse_networks);
  if (!networks) return;
  for (Container& c : out.containers) {
    set_network_kind(c, *networks);
    set_link_names(c, *networks);
  }
  for (api::NetworkDetails& n : *networks) {
    const bool used = std::find(names.begin(), names.end(), n.network.name) != names.end();
    if (used) out.networks.push_back(std::move(n.network));
  }
}

}  // namespace

PodmanAnswer ask_podman(api::Transport& transport, const PodmanQuery& query,
                        const std::vector<Container>& seen, api::Deadline deadline) {
  PodmanAnswer out;
  Inventory& inventory = out.inventory;
  Asking asking(transport, inventory);
  const auto rows = asking.ask<api::PsRow>([&] { return transport.ps(deadline); }, api::parse_ps);
  if (!rows) return out;
  out.answered = true;
  std::vector<std::string> ids;
  for (const api::PsRow& row : *rows) {
    out.known.insert(row.container.id);
    if (!query.all && stopped(row.container)) continue;
    inventory.containers.push_back(row.container);
    ids.push_back(row.container.id);
  }
  if (!ids.empty()) {
    auto details =
        asking.ask<Container>([&] { return transport.inspect(ids, deadline); }, api::parse_inspect);
    if (details) add_details(inventory.containers, std::move(*details));
    add_networks(asking, deadline, inventory);
  }
  add_pods(asking, query, *rows, deadline, inventory);
  out.complete = !asking.failed();
  set_kubernetes_names(inventory);
  for (Container& c : inventory.containers) {
    c.owner = query.owner;
    c.rootless = query.owner != 0;
    const Container* by_conmon = find(seen, c.id);
    if (c.conmon_pid == 0 && by_conmon != nullptr && by_conmon->pid == c.pid)
      c.conmon_pid = by_conmon->conmon_pid;
  }
  if (query.here) verify_processes(inventory.containers, query.proc, asking);
  return out;
}

}  // namespace podshark::discover
