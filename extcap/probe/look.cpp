// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/probe/look.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "podman/core/proc.h"
#include "podman/core/text.h"

namespace podshark::extcap::probing {
namespace {

using kernel::TcpSocket;
using probe::Holder;
using probe::Inside;
using probe::ServerEnd;

constexpr std::size_t kMaxTable = std::size_t{16} << 20U;  // 150 bytes a socket
constexpr std::uint8_t kTcpCloseWait = 8;
constexpr std::array kForwarders{"rootlessport", "slirp4netns", "pasta", "pasta.avx2"};

bool unspecified(const IpAddress& a) {
  static const IpAddress k4 = *IpAddress::parse("0.0.0.0");
  static const IpAddress k6 = *IpAddress::parse("::");
  return a == k4 || a == k6;
}

bool open_port(const TcpSocket& s, bool udp) {
  return s.state == (udp ? kernel::kUdpOpen : kernel::kTcpListen);
}

ServerEnd end_of(const TcpSocket& s) {
  return s.inode == 0 ? ServerEnd::waiting : ServerEnd::accepted;
}

bool alive(const TcpSocket& s) {
  return s.state == kernel::kTcpEstablished || s.state == kTcpCloseWait;
}

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

bool has_socket(pid_t pid, std::uint64_t inode) {
  const std::string wanted = "socket:[" + std::to_string(inode) + "]";
  const std::unique_ptr<DIR, CloseDir> dir(::opendir(("/proc/" + std::to_string(pid) + "/fd").c_str()));
  if (!dir) return false;
  while (const dirent* entry = ::readdir(dir.get())) {
    std::array<char, 64> target{};
    const ssize_t n = ::readlinkat(::dirfd(dir.get()), entry->d_name, target.data(), target.size());
    if (n > 0 && std::string_view(target.data(), static_cast<std::size_t>(n)) == wanted) return true;
  }
  return false;
}

std::string comm_of(pid_t pid) {
  const Result<ProcStat> stat = read_stat(pid);
  return stat ? stat->comm : std::string();
}

bool is_forwarder(const std::string& comm) {
  return std::any_of(kForwarders.begin(), kForwarders.end(), [&](const char* f) { return comm == f; });
}

// Whoever has the socket, as far as descriptors may be read: conmon first, then forwarders, then the rest.
void name_holder(std::uint64_t inode, pid_t conmon, probe::Evidence& e) {
  e.holder = Holder::unknown;
  if (conmon > 0 && has_socket(conmon, inode)) {
    e.holder = Holder::conmon;
    e.holder_name = "conmon";
    return;
  }
  std::vector<pid_t> pids = list_pids();
  std::stable_partition(pids.begin(), pids.end(), [](pid_t p) { return is_forwarder(comm_of(p)); });
  for (const pid_t pid : pids) {
    if (!has_socket(pid, inode)) continue;
    const std::string comm = comm_of(pid);
    e.holder = comm == "conmon" ? Holder::conmon : is_forwarder(comm) ? Holder::forwarder : Holder::other;
    e.holder_name = one_line(comm, 20);
    return;
  }
}

// The listener that takes what comes to this port of the host; nullptr without one.
const TcpSocket* find_listener(const SocketTable& table, const Aim& aim, bool udp) {
  const TcpSocket* best = nullptr;
  for (const TcpSocket& s : table.sockets) {
    if (!open_port(s, udp) || s.local_port != aim.to.port) continue;
    const bool exact = s.local == aim.to.address;
    if (!exact && !unspecified(s.local)) continue;
    if (best == nullptr || exact) best = &s;
  }
  return best;
}

// Whose it is.
void look_at_holder(const Aim& aim, bool udp, probe::Evidence& e) {
  const SocketTable table = read_table("/proc/self", udp);
  if (!table.known) return;
  const TcpSocket* best = find_listener(table, aim, udp);
  e.holder = Holder::none;
  if (best == nullptr) return;
  e.held = best->receive_queue;
  name_holder(best->inode, aim.container.conmon_pid, e);
}

// By the client's port alone: its address may be masqueraded. On another port of the container it may have
// arrived too, redirected by a proxy's rules inside, or be another connection.
ServerEnd server_end_inside(const SocketTable& table, const Aim& aim, const probe::Attempt& attempt) {
  if (!table.known || attempt.local.port == 0) return ServerEnd::unknown;
  ServerEnd out = ServerEnd::absent;
  for (const TcpSocket& s : table.sockets) {
    if (s.remote_port != attempt.local.port || s.state == kernel::kTcpListen) continue;
    if (s.local_port == aim.container_port && alive(s)) return end_of(s);
    out = ServerEnd::deferred;
  }
  return out;
}

// Bridges translate, and keep the client's port unless another connection has it; pasta, slirp4netns and ssh
// begin a connection of their own.
bool keeps_port(const Source& source, const Aim& aim, const probe::Evidence& e) {
  using model::NetworkKind;
  if (!source.ssh.empty() || source.container.rootless || aim.container.rootless) return false;
  const NetworkKind kind = aim.container.kind;
  if (kind == NetworkKind::pasta || kind == NetworkKind::slirp4netns) return false;
  if (!e.published || e.holder == Holder::conmon || e.holder == Holder::none) return true;
  return e.holder != Holder::forwarder && kind == NetworkKind::bridge;
}

// Our end is there: what is missing elsewhere has not just been closed.
bool still_open(const SocketTable& table, const probe::Attempt& attempt) {
  return std::any_of(table.sockets.begin(), table.sockets.end(), [&](const TcpSocket& s) {
    return s.state == kernel::kTcpEstablished && s.local_port == attempt.local.port &&
           s.remote_port == attempt.remote.port && s.local == attempt.local.address &&
           s.remote == attempt.remote.address;
  });
}

}  // namespace

SocketTable read_table(const std::string& proc, bool udp) {
  SocketTable out;
  for (const char* file : {udp ? "/net/udp" : "/net/tcp", udp ? "/net/udp6" : "/net/tcp6"}) {
    const Result<std::string> text = read_file(proc + file, kMaxTable);
    if (!text) continue;
    out.known = true;
    kernel::add_tcp_sockets(*text, out.sockets);
  }
  return out;
}

std::vector<std::uint16_t> reachable_ports(const SocketTable& table, bool udp) {
  std::vector<std::uint16_t> out;
  for (const TcpSocket& s : table.sockets) {
    if (open_port(s, udp) && !s.local.loopback() && s.local_port != 0) out.push_back(s.local_port);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<std::uint16_t> reachable_ports(const model::Container& c, bool udp) {
  return c.pid > 0 ? reachable_ports(read_table("/proc/" + std::to_string(c.pid), udp), udp)
                   : std::vector<std::uint16_t>();
}

Inside look_inside(const SocketTable& table, const Aim& aim, const probe::Attempt& attempt) {
  Inside out;
  out.known = table.known;
  const bool udp = attempt.protocol == probe::Protocol::udp;
  const bool from_inside = aim.to.address.loopback() && !aim.published;
  for (const TcpSocket& s : table.sockets) {
    if (s.local_port != aim.container_port) continue;
    if (open_port(s, udp)) {
      const bool counts = !s.local.loopback() || from_inside;
      out.listens = out.listens || counts;
      out.loopback_only = out.loopback_only || !counts;
      out.queue = std::max(out.queue, s.receive_queue);
    } else if (!udp && alive(s)) {
      out.others = out.others || s.remote_port != attempt.local.port;
    }
  }
  if (!udp) out.server_end = server_end_inside(table, aim, attempt);
  if (!out.listens) out.ports = reachable_ports(table, udp);
  return out;
}

ServerEnd find_server_end(const SocketTable& table, const probe::Attempt& attempt) {
  if (!table.known) return ServerEnd::unknown;
  for (const TcpSocket& s : table.sockets) {
    const bool ours = s.local == attempt.remote.address && s.local_port == attempt.remote.port &&
                      s.remote == attempt.local.address && s.remote_port == attempt.local.port;
    if (ours && alive(s)) return end_of(s);
  }
  return ServerEnd::absent;
}

std::optional<std::uint32_t> held_now(const Aim& aim) {
  if (!aim.published) return std::nullopt;
  const bool udp = aim.protocol == probe::Protocol::udp;
  const SocketTable table = read_table("/proc/self", udp);
  const TcpSocket* listener = find_listener(table, aim, udp);
  return listener == nullptr ? std::nullopt : std::optional(listener->receive_queue);
}

probe::Evidence look(const Source& source, const Aim& aim, const probe::Attempt& attempt,
                     std::chrono::milliseconds timeout) {
  probe::Evidence e;
  e.attempt = attempt;
  e.timeout = timeout;
  e.container = aim.container_name;
  e.container_port = aim.container_port;
  e.published = aim.published;
  e.rootless = aim.container.rootless;
  e.unforwarded = aim.unforwarded;
  const bool tcp = aim.protocol == probe::Protocol::tcp;
  if (!tcp && aim.protocol != probe::Protocol::udp) return e;
  if (tcp && source.ssh.empty()) e.server_end = find_server_end(read_table(source.proc(), false), attempt);
  // From a container to the host itself nothing is translated: its table shows the same numbers.
  if (tcp && e.server_end == ServerEnd::absent && !source.host())
    e.server_end = find_server_end(read_table("/proc/self", false), attempt);
  if (aim.container.pid > 0)
    e.inside = look_inside(read_table("/proc/" + std::to_string(aim.container.pid), !tcp), aim, attempt);
  if (aim.published || (aim.to.address.loopback() && source.host())) look_at_holder(aim, !tcp, e);
  if (tcp && attempt.connected && keeps_port(source, aim, e))
    e.traceable = still_open(read_table(source.proc(), false), attempt);
  return e;
}

}  // namespace podshark::extcap::probing
