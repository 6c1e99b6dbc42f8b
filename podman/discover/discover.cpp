// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/discover/discover.h"

#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <set>

#include "podman/api/podman_cli.h"
#include "podman/core/clock.h"
#include "podman/core/fd.h"
#include "podman/core/proc.h"
#include "podman/core/process.h"
#include "podman/discover/network_kind.h"
#include "podman/discover/process_facts.h"
#include "podman/discover/source_conmon.h"
#include "podman/discover/source_podman.h"
#include "podman/discover/source_socket.h"
#include "podman/discover/storage.h"
#include "podman/kernel/rtnetlink.h"

namespace podshark::discover {
namespace {

using model::Container;
using model::Inventory;

Inventory begin_inventory() {
  Inventory out;
  out.time_ns = now_ns();
  std::array<char, HOST_NAME_MAX + 1> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0) out.host = host.data();
  return out;
}

// podman's order changes from call to call, and inventories are compared.
void sort_by_name(Inventory& out) {
  const auto before = [](const auto& a, const auto& b) {
    return a.name != b.name ? a.name < b.name : a.id < b.id;
  };
  std::sort(out.containers.begin(), out.containers.end(), before);
  std::sort(out.pods.begin(), out.pods.end(), before);
  std::sort(out.networks.begin(), out.networks.end(), before);
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

// Links of the network namespace we are in, which the kernel tells anybody; none when it does not answer.
std::vector<model::Link> own_links() {
  const UniqueFd netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));  // NETLINK_ROUTE
  if (!netlink) return {};
  Result<std::vector<model::Link>> links = kernel::list_links(netlink.get());
  return links ? std::move(*links) : std::vector<model::Link>();
}

// What podman did not tell. conmon is in the namespace podman was called in: the host's, as a rule ours.
void set_kinds_from_links(std::vector<Container>& containers, const std::string& proc) {
  const std::uint64_t own = netns_identity(::getpid(), proc);
  std::optional<std::vector<model::Link>> host;
  for (Container& c : containers) {
    if (!c.limited || c.kind != model::NetworkKind::unknown) continue;
    if (own == 0 || netns_identity(c.conmon_pid, proc) != own) continue;
    if (!host) host = own_links();
    set_kind_from_links(c, *host);
  }
}

// Part of the time that is left: whoever is asked next must have some.
api::Deadline share(api::Deadline deadline, int percent) {
  return std::chrono::steady_clock::now() + api::time_left(deadline) * percent / 100;
}

PodmanAnswer ask_own(const Options& options, const std::vector<Container>& seen, api::Deadline deadline) {
  const User user = calling_user();
  PodmanAnswer answer;
  // Also before the socket: connecting may start a service, which would create the storage as well.
  if (!has_storage(user)) {
    if (find_program("podman").empty()) {
      answer.inventory.problems.push_back(
          {"podman", "podman is not installed or not in PATH", "install podman"});
    }
    return answer;
  }
  const PodmanQuery query{user.uid, options.all, options.proc};
  const std::string path = user.uid == 0 ? options.rootful_socket : user.runtime_dir + "/podman/podman.sock";
  std::optional<PodmanAnswer> found = ask_socket(path, query, seen, share(deadline, 40));
  if (found && found->complete) return std::move(*found);
  // The service is asked about one container after the other, which takes too long for hundreds; the command
  // is asked once for all.
  api::PodmanCli cli;
  answer = ask_podman(cli, query, seen, deadline);
  if (!found) return answer;
  if (found->answered && !answer.answered) return std::move(*found);
  if (!found->answered || !answer.complete)
    append(answer.inventory.problems, std::move(found->inventory.problems));
  return answer;
}

// Rootful containers as podman itself tells them, for a user whom the administrator gave the socket.
void add_rootful(const Options& options, const std::vector<Container>& seen, api::Deadline deadline,
                 std::set<std::string>& known, Inventory& out) {
  if (::geteuid() == 0) return;  // then its own containers are these
  const PodmanQuery query{0, options.all, options.proc};
  std::optional<PodmanAnswer> found = ask_socket(options.rootful_socket, query, seen, share(deadline, 50));
  if (!found) return;
  known.merge(found->known);
  append_answer(out, std::move(found->inventory));
}

}  // namespace

Inventory discover(const Options& options) {
  const api::Deadline deadline = std::chrono::steady_clock::now() + options.deadline;
  Inventory out = begin_inventory();
  std::vector<Container> seen = conmon_containers(options.proc);
  std::set<std::string> known;
  // First the socket, which is quick or absent; podman's command may use up the time.
  add_rootful(options, seen, deadline, known, out);
  PodmanAnswer own = ask_own(options, seen, deadline);
  known.merge(own.known);
  append_answer(out, std::move(own.inventory));
  for (Container& c : seen) {
    if (!known.contains(c.id)) out.containers.push_back(std::move(c));
  }
  set_kinds_from_links(out.containers, options.proc);
  note_hidden_processes(options.proc, out);
  sort_by_name(out);
  return out;
}

Inventory scan_conmon(const std::string& proc) {
  Inventory out = begin_inventory();
  out.containers = conmon_containers(proc);
  note_hidden_processes(proc, out);
  sort_by_name(out);
  return out;
}

namespace {

class Answers final : public api::Transport {
 public:
  explicit Answers(const PodmanSaid& said) : said_(said) {}
  [[nodiscard]] const char* source() const override { return "podman"; }
  [[nodiscard]] Result<std::string> ps(api::Deadline) override { return list(said_.ps); }
  [[nodiscard]] Result<std::string> inspect(const std::vector<std::string>&, api::Deadline) override {
    return list(said_.inspect);
  }
  [[nodiscard]] Result<std::string> networks(const std::vector<std::string>&, api::Deadline) override {
    return list(said_.networks);
  }
  [[nodiscard]] Result<std::string> pods(api::Deadline) override { return list(said_.pods); }

 private:
  static std::string list(const std::string& said) { return said.empty() ? "[]" : said; }
  const PodmanSaid& said_;
};

}  // namespace

Inventory read_answers(const std::vector<PodmanSaid>& said, bool all) {
  Inventory out;
  for (const PodmanSaid& one : said) {
    Answers answers(one);
    append_answer(out, ask_podman(answers, {.owner = one.owner, .all = all, .proc = "", .here = false}, {},
                                  std::chrono::steady_clock::now())
                           .inventory);
  }
  sort_by_name(out);
  return out;
}

}  // namespace podshark::discover
