// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/discover/proc_sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <utility>

#include "podman/core/proc.h"
#include "podman/core/text.h"

namespace podshark::discover {
namespace {

constexpr std::size_t kMaxTable = 64U << 20U;  // 150 bytes a socket
constexpr std::size_t kMaxProcesses = 4096;

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

std::uint64_t socket_inode(std::string_view target) {
  constexpr std::string_view kStart = "socket:[";
  std::uint64_t inode = 0;
  if (!target.starts_with(kStart) || !target.ends_with(']')) return 0;
  target.remove_prefix(kStart.size());
  target.remove_suffix(1);
  return parse_number(target, ~std::uint64_t{0}, inode) ? inode : 0;
}

// False when the descriptors may not be read.
bool add_sockets(pid_t pid, const std::string& proc, std::set<std::uint64_t>& inodes) {
  const std::string path = proc + "/" + std::to_string(pid) + "/fd";
  const std::unique_ptr<DIR, CloseDir> dir(::opendir(path.c_str()));
  if (!dir) return false;
  while (const dirent* entry = ::readdir(dir.get())) {
    std::array<char, 64> target{};
    const ssize_t n = ::readlinkat(::dirfd(dir.get()), entry->d_name, target.data(), target.size());
    if (n <= 0) continue;
    if (const std::uint64_t inode = socket_inode({target.data(), static_cast<std::size_t>(n)}))
      inodes.insert(inode);
  }
  return true;
}

std::vector<pid_t> descendants(pid_t pid, const std::string& proc) {
  std::multimap<pid_t, pid_t> children;
  for (const pid_t p : list_pids(proc)) {
    if (const Result<ProcStat> stat = read_stat(p, proc)) children.emplace(stat->ppid, p);
  }
  std::vector<pid_t> out{pid};
  for (std::size_t i = 0; i < out.size() && out.size() < kMaxProcesses; ++i) {
    const auto [from, to] = children.equal_range(out[i]);
    for (auto it = from; it != to; ++it) out.push_back(it->second);
  }
  return out;
}

template <typename T>
bool parse_hex(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return error == std::errc{} && end == text.data() + text.size();
}

bool before(const HeldPort& a, const HeldPort& b) {
  if (a.listening != b.listening) return a.listening;
  return a.udp != b.udp ? !a.udp : a.port < b.port;
}

}  // namespace

std::vector<pid_t> container_processes(pid_t pid, const std::string& proc) {
  const std::uint64_t space = namespace_inode(pid, "pid", proc);
  const Result<ProcStat> stat = read_stat(pid, proc);
  // conmon, the parent, lives where podman was called.
  if (space == 0 || !stat || space == namespace_inode(stat->ppid, "pid", proc)) return descendants(pid, proc);
  std::vector<pid_t> out;
  for (const pid_t p : list_pids(proc)) {
    if (namespace_inode(p, "pid", proc) == space && out.size() < kMaxProcesses) out.push_back(p);
  }
  return out;
}

std::map<std::uint64_t, HeldPort> parse_sockets(std::string_view text, bool udp) {
  constexpr unsigned kListen = 10;      // TCP_LISTEN
  constexpr unsigned kUnconnected = 7;  // TCP_CLOSE, the state of an unconnected UDP socket
  std::map<std::uint64_t, HeldPort> out;
  for (const std::string& line : split(text, '\n')) {
    const std::vector<std::string> field =
        words(line);  // sl local rem st queues timer retransmits uid timeout inode …
    if (field.size() < 10) continue;
    const std::size_t colon = field[1].rfind(':');
    HeldPort held{.udp = udp};
    unsigned state = 0;
    std::uint64_t inode = 0;
    if (colon == std::string::npos || !parse_hex(std::string_view(field[1]).substr(colon + 1), held.port) ||
        !parse_hex(field[3], state) || !parse_number(field[9], ~std::uint64_t{0}, inode) || inode == 0 ||
        held.port == 0) {
      continue;
    }
    held.listening = state == (udp ? kUnconnected : kListen);
    out.emplace(inode, held);
  }
  return out;
}

std::map<std::uint64_t, SocketOwner> socket_owners(const std::vector<std::uint64_t>& inodes,
                                                   const std::string& proc) {
  const std::set<std::uint64_t> wanted(inodes.begin(), inodes.end());
  std::map<std::uint64_t, SocketOwner> out;
  for (const pid_t pid : list_pids(proc)) {
    std::set<std::uint64_t> held;
    if (out.size() == wanted.size() || !add_sockets(pid, proc, held)) continue;
    std::string program;
    for (const std::uint64_t inode : held) {
      if (wanted.count(inode) == 0 || out.count(inode) != 0) continue;
      if (program.empty()) {
        const Result<ProcStat> stat = read_stat(pid, proc);
        program = stat ? stat->comm : "?";
      }
      out[inode] = {pid, program};
    }
  }
  return out;
}

std::optional<std::set<std::uint64_t>> sockets_of(pid_t pid, const std::string& proc) {
  std::set<std::uint64_t> out;
  if (!add_sockets(pid, proc, out)) return std::nullopt;
  return out;
}

HeldPorts held_ports(const std::vector<pid_t>& pids, const std::string& proc) {
  HeldPorts out;
  std::set<std::uint64_t> inodes;
  for (const pid_t pid : pids) out.readable = add_sockets(pid, proc, inodes) || out.readable;
  if (inodes.empty()) return out;
  for (const auto& [file, udp] : {std::pair{"tcp", false}, {"tcp6", false}, {"udp", true}, {"udp6", true}}) {
    const Result<std::string> text =
        read_file(proc + "/" + std::to_string(pids.front()) + "/net/" + file, kMaxTable);
    if (!text) continue;
    for (const auto& [inode, held] : parse_sockets(*text, udp)) {
      if (inodes.count(inode) == 0) continue;
      const auto known = std::find_if(out.ports.begin(), out.ports.end(), [&, h = held](const HeldPort& p) {
        return p.port == h.port && p.udp == h.udp;
      });
      if (known == out.ports.end()) {
        out.ports.push_back(held);
      } else {
        known->listening = known->listening || held.listening;
      }
    }
  }
  std::sort(out.ports.begin(), out.ports.end(), before);
  return out;
}

}  // namespace podshark::discover
