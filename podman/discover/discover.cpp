// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/discover/discover.h"

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "podman/api/podman_cli.h"
#include "podman/core/proc.h"
#include "podman/core/process.h"
#include "podman/discover/source_conmon.h"
#include "podman/discover/source_podman.h"
#include "podman/discover/storage.h"

namespace podshark::discover {
namespace {

using model::Container;
using model::Inventory;

Inventory begin_inventory() {
  Inventory out;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  out.time_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  std::array<char, HOST_NAME_MAX + 1> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0) out.host = host.data();
  return out;
}

void sort_containers(std::vector<Container>& containers) {
  std::sort(containers.begin(), containers.end(), [](const Container& a, const Container& b) {
    return a.name != b.name ? a.name < b.name : a.id < b.id;
  });
}

// hidepid hides conmon processes of other users, and with them the rootful containers.
void note_hidden_processes(const std::string& proc, Inventory& out) {
  if (::geteuid() == 0 || read_stat(1, proc)) return;
  out.problems.push_back(
      {"conmon", "'" + proc + "' hides other users' processes (hidepid): rootful containers are not shown",
       "run as root, or mount /proc without hidepid"});
}

template <typename T>
void append(std::vector<T>& to, std::vector<T>&& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

void append_answer(Inventory& to, Inventory&& from) {
  append(to.containers, std::move(from.containers));
  append(to.pods, std::move(from.pods));
  append(to.networks, std::move(from.networks));
  append(to.problems, std::move(from.problems));
}

PodmanAnswer ask_own(const Options& options, const std::vector<Container>& seen, api::Deadline deadline) {
  const User user = calling_user();
  PodmanAnswer answer;
  if (!has_storage(user)) {
    if (find_program("podman").empty()) {
      answer.inventory.problems.push_back(
          {"podman", "podman is not installed or not in PATH", "install podman"});
    }
    return answer;
  }
  const PodmanQuery query{user.uid, options.all, options.proc};
  api::PodmanCli cli;
  return ask_podman(cli, query, seen, deadline);
}

}  // namespace

Inventory discover(const Options& options) {
  const api::Deadline deadline = std::chrono::steady_clock::now() + options.deadline;
  Inventory out = begin_inventory();
  std::vector<Container> seen = conmon_containers(options.proc);
  PodmanAnswer own = ask_own(options, seen, deadline);
  std::set<std::string> known = std::move(own.known);
  append_answer(out, std::move(own.inventory));
  for (Container& c : seen) {
    if (!known.contains(c.id)) out.containers.push_back(std::move(c));
  }
  note_hidden_processes(options.proc, out);
  sort_containers(out.containers);
  return out;
}

Inventory scan_conmon(const std::string& proc) {
  Inventory out = begin_inventory();
  out.containers = conmon_containers(proc);
  note_hidden_processes(proc, out);
  sort_containers(out.containers);
  return out;
}

}  // namespace podshark::discover
