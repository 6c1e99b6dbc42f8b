// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/tcp_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <tuple>

namespace podshark::kernel {
namespace {

template <typename T>
bool parse_hex(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return !text.empty() && error == std::errc{} && end == text.data() + text.size();
}

// "0100007F:1F90": 32-bit words of the address as the machine reads them, then the port as a number.
bool parse_end(std::string_view text, IpAddress& address, std::uint16_t& port) {
  const std::size_t colon = text.find(':');
  if ((colon != 8 && colon != 32) || !parse_hex(text.substr(colon + 1), port)) return false;
  std::array<std::uint8_t, 16> raw{};
  for (std::size_t i = 0; i * 8 < colon; ++i) {
    std::uint32_t word = 0;
    if (!parse_hex(text.substr(i * 8, 8), word)) return false;
    std::memcpy(&raw[i * 4], &word, sizeof(word));
  }
  address = colon == 8 ? IpAddress::v4(raw.data()) : IpAddress::v6(raw.data());
  return true;
}

// Takes the next word off `line`.
std::string_view next_word(std::string_view& line) {
  const std::size_t from = std::min(line.find_first_not_of(' '), line.size());
  const std::size_t to = std::min(line.find(' ', from), line.size());
  const std::string_view word = line.substr(from, to - from);
  line.remove_prefix(to);
  return word;
}

// "tx:rx timer:when retransmits uid timeout inode …"; what is missing stays 0.
void read_rest(std::string_view line, TcpSocket& s) {
  const std::string_view queues = next_word(line);
  const std::size_t colon = queues.find(':');
  if (colon == std::string_view::npos || !parse_hex(queues.substr(colon + 1), s.receive_queue)) return;
  constexpr std::uint32_t kTick = 10;  // USER_HZ is 100 on every architecture of ours
  const std::string_view timer = next_word(line);
  std::uint32_t ticks = 0;
  if (const std::size_t at = timer.find(':');
      at != std::string_view::npos && parse_hex(timer.substr(at + 1), ticks))
    s.timer_ms = ticks < UINT32_MAX / kTick ? ticks * kTick : 0;
  for (int skipped = 0; skipped < 3; ++skipped) (void)next_word(line);
  const std::string_view inode = next_word(line);
  (void)std::from_chars(inode.data(), inode.data() + inode.size(), s.inode);
}

}  // namespace

void add_tcp_sockets(std::string_view text, std::vector<TcpSocket>& out) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    (void)next_word(line);  // number of the line
    TcpSocket s;
    if (parse_end(next_word(line), s.local, s.local_port) &&
        parse_end(next_word(line), s.remote, s.remote_port) && parse_hex(next_word(line), s.state)) {
      read_rest(line, s);
      out.push_back(s);
    }
  }
}

std::size_t count_connections(const std::vector<TcpSocket>& sockets) {
  using End = std::pair<IpAddress, std::uint16_t>;
  std::vector<std::pair<End, End>> found;
  for (const TcpSocket& s : sockets) {
    if (s.state != kTcpEstablished) continue;
    found.emplace_back(std::minmax(End{s.local, s.local_port}, End{s.remote, s.remote_port}));
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found.size();
}

std::vector<std::uint16_t> listening_ports(const std::vector<TcpSocket>& sockets) {
  std::vector<std::uint16_t> out;
  for (const TcpSocket& s : sockets) {
    if (s.state == kTcpListen) out.push_back(s.local_port);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace podshark::kernel
