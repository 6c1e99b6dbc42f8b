// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/discover/process_facts.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "podman/core/proc.h"
#include "podman/core/text.h"
#include "podman/discover/proc_net.h"

namespace podshark::discover {
namespace {

using model::Attachment;
using model::NetworkKind;

std::string pid_path(pid_t pid, const std::string& proc) {
  return proc + "/" + std::to_string(pid);
}

// /proc/PID/status, "NSpid:\t812\t1": the process's ids from the reader's namespace inwards.
std::vector<std::string> namespace_pids(pid_t pid, const std::string& proc) {
  const Result<std::string> text = read_file(pid_path(pid, proc) + "/status", 16384);
  if (!text) return {};
  const std::size_t at = text->find("\nNSpid:\t");
  if (at == std::string::npos) return {};
  const std::size_t from = at + 8;
  return split(std::string_view(*text).substr(from, text->find('\n', from) - from), '\t');
}

// Boot time plus the process's age; podman's own answer is better and wins.
std::int64_t start_seconds(std::uint64_t start_ticks, const std::string& proc) {
  const Result<std::string> text = read_file(proc + "/stat", 1U << 20U);
  const std::size_t at = text ? text->find("\nbtime ") : std::string::npos;
  if (at == std::string::npos) return 0;
  std::uint64_t boot = 0;
  const std::size_t from = at + 7;
  if (!parse_number(std::string_view(*text).substr(from, text->find('\n', from) - from), 1ULL << 40U, boot))
    return 0;
  const long hertz = ::sysconf(_SC_CLK_TCK);
  return static_cast<std::int64_t>(boot + start_ticks / static_cast<std::uint64_t>(hertz > 0 ? hertz : 100));
}

bool shares_address(const Attachment& a, const Attachment& b) {
  return std::any_of(a.addresses.begin(), a.addresses.end(), [&](const std::string& address) {
    return std::find(b.addresses.begin(), b.addresses.end(), address) != b.addresses.end();
  });
}

void complete_links(model::Container& c, const std::string& proc) {
  ProcLinks found = read_links(c.pid, proc);
  if (!found.readable) return;
  if (c.kind == NetworkKind::unknown && found.links.empty()) c.kind = NetworkKind::none;
  if (c.networks.empty()) {
    c.networks = std::move(found.links);
    return;
  }
  // podman's answer had the network's name only; with one of each there is no doubt.
  if (c.networks.size() == 1 && found.links.size() == 1 && c.networks[0].addresses.empty()) {
    found.links[0].network = c.networks[0].network;
    found.links[0].mac = c.networks[0].mac;
    c.networks = std::move(found.links);
    return;
  }
  for (Attachment& a : c.networks) {
    for (const Attachment& link : found.links) {
      if (a.interface.empty() && shares_address(a, link)) a.interface = link.interface;
    }
  }
}

}  // namespace

unsigned pid_namespace_depth(pid_t pid, const std::string& proc) {
  return static_cast<unsigned>(namespace_pids(pid, proc).size());
}

bool is_namespace_init(pid_t pid, const std::string& proc) {
  const std::vector<std::string> pids = namespace_pids(pid, proc);
  return pids.size() >= 2 && pids.back() == "1";
}

uid_t process_owner(pid_t pid, const std::string& proc) {
  struct stat st {};
  return ::stat(pid_path(pid, proc).c_str(), &st) == 0 ? st.st_uid : static_cast<uid_t>(-1);
}

std::uint64_t netns_identity(pid_t pid, const std::string& proc) {
  struct stat st {};
  return ::stat((pid_path(pid, proc) + "/net/dev").c_str(), &st) == 0 ? st.st_ino : 0;
}

void complete_from_proc(model::Container& c, const std::string& proc) {
  const Result<ProcStat> stat = read_stat(c.pid, proc);
  if (!stat) return;
  c.pid_start = stat->start_time;
  if (c.started_at == 0) c.started_at = start_seconds(c.pid_start, proc);
  if (const std::uint64_t inode = namespace_inode(c.pid, "net", proc); inode != 0) c.netns = inode;
  // conmon stays in the network namespace podman was called in: the host's.
  const std::uint64_t identity = netns_identity(c.pid, proc);
  if (c.conmon_pid != 0 && identity != 0 && identity == netns_identity(c.conmon_pid, proc)) {
    c.kind = NetworkKind::host;
  }
  if (c.kind == NetworkKind::host || c.kind == NetworkKind::none || c.kind == NetworkKind::shared) return;
  complete_links(c, proc);
}

}  // namespace podshark::discover
