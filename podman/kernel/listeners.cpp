// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/listeners.h"

#include <algorithm>
#include <array>

#include "podman/core/proc.h"
#include "podman/core/text.h"
#include "podman/kernel/socket_line.h"

namespace podshark::kernel {
namespace {

constexpr std::size_t kMaxTable = 64U << 20U;  // 150 bytes a socket
constexpr std::size_t kMaxListeners = 65536;
constexpr unsigned kListen = 10;      // TCP_LISTEN, include/net/tcp_states.h
constexpr unsigned kUnconnected = 7;  // TCP_CLOSE, which an unconnected UDP socket shows

}  // namespace

void add_listeners(std::string_view text, bool udp, bool v6, std::vector<model::Listener>& out) {
  for (const std::string& line : split(text, '\n')) {
    std::vector<std::string> field;  // sl local rem st tx:rx timer:when retransmits uid timeout inode …
    for (std::string& word : split(line, ' ')) {
      if (!word.empty()) field.push_back(std::move(word));
    }
    if (field.size() < 10 || out.size() == kMaxListeners) continue;
    model::Listener listener;
    listener.udp = udp;
    listener.v6 = v6;
    unsigned state = 0;
    const std::size_t colon = field[4].find(':');
    if (colon == std::string::npos || !parse_end(field[1], listener.address, listener.port) ||
        !parse_hex(field[3], state) ||
        !parse_hex(std::string_view(field[4]).substr(colon + 1), listener.waiting) ||
        !parse_number(field[9], ~std::uint64_t{0}, listener.inode) || listener.port == 0) {
      continue;
    }
    if (state == (udp ? kUnconnected : kListen)) out.push_back(listener);
  }
}

std::vector<model::Listener> listeners_of(pid_t pid, const std::string& proc) {
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
    if (text) add_listeners(*text, file.udp, file.v6, out);
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.port < b.port; });
  return out;
}

}  // namespace podshark::kernel
