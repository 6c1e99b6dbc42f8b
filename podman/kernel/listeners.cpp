// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/listeners.h"

#include <algorithm>
#include <array>

#include "podman/core/proc.h"
#include "podman/kernel/tcp_table.h"

namespace podshark::kernel {
namespace {

constexpr std::size_t kMaxTable = 64U << 20U;  // 150 bytes a socket
constexpr std::size_t kMaxListeners = 65536;

}  // namespace

void add_listeners(std::string_view text, bool udp, bool v6, std::vector<model::Listener>& out) {
  std::vector<TcpSocket> sockets;
  add_tcp_sockets(text, sockets);
  for (const TcpSocket& s : sockets) {
    if (s.state != (udp ? kUdpOpen : kTcpListen) || s.local_port == 0 || out.size() == kMaxListeners)
      continue;
    model::Listener listener;
    listener.address = s.local;
    listener.port = s.local_port;
    listener.udp = udp;
    listener.v6 = v6;
    listener.waiting = s.receive_queue;
    listener.inode = s.inode;
    out.push_back(listener);
  }
}

std::optional<std::vector<model::Listener>> listeners_of(pid_t pid, const std::string& proc) {
  struct File {
    const char* name;
    bool udp, v6;
  };
  constexpr std::array<File, 4> kFiles{
      {{"tcp", false, false}, {"tcp6", false, true}, {"udp", true, false}, {"udp6", true, true}}};
  std::vector<model::Listener> out;
  for (const File& file : kFiles) {
    const Result<std::string> text =
        read_file(proc + "/" + std::to_string(pid) + "/net/" + file.name, kMaxTable);
    if (!text && !file.v6) return std::nullopt;  // those of IPv6 may not exist
    if (text) add_listeners(*text, file.udp, file.v6, out);
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.port < b.port; });
  return out;
}

}  // namespace podshark::kernel
