// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/probe/icmp.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace podshark::probe {
namespace {

constexpr std::size_t kHeader = 8;
constexpr milliseconds kAgain{1000};
constexpr std::size_t kPayload = 56;  // as ping(8)

std::uint16_t byte_at(std::string_view s, std::size_t i) {
  return static_cast<std::uint8_t>(s[i]);
}

std::uint16_t word_at(std::string_view s, std::size_t i) {
  return static_cast<std::uint16_t>(byte_at(s, i) << 8U | byte_at(s, i + 1));
}

void put_word(std::string& s, std::size_t i, std::uint16_t value) {
  s[i] = static_cast<char>(value >> 8U);
  s[i + 1] = static_cast<char>(value & 0xFFU);
}

// RFC 1071; the text has an even length or counts as padded with zero.
std::uint16_t internet_checksum(std::string_view s) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < s.size(); i += 2)
    sum += i + 1 < s.size() ? word_at(s, i) : static_cast<std::uint32_t>(byte_at(s, i) << 8U);
  while (sum >> 16U != 0) sum = (sum & 0xFFFFU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace

std::string echo_request(bool v4, std::uint16_t id, std::uint16_t sequence, std::size_t payload_bytes) {
  std::string out(kHeader + payload_bytes, 'p');
  out[0] = static_cast<char>(v4 ? std::uint8_t{ICMP_ECHO} : std::uint8_t{ICMP6_ECHO_REQUEST});
  out[1] = 0;
  put_word(out, 2, 0);
  put_word(out, 4, id);
  put_word(out, 6, sequence);
  if (v4) put_word(out, 2, internet_checksum(out));
  return out;
}

std::optional<std::uint16_t> echo_reply(std::string_view packet, bool v4, bool datagram, std::uint16_t id) {
  if (v4 && !datagram) {
    if (packet.empty()) return std::nullopt;
    const std::size_t header = std::size_t{4} * (byte_at(packet, 0) & 0xFU);
    if (packet.size() < header) return std::nullopt;
    packet.remove_prefix(header);
  }
  if (packet.size() < kHeader || byte_at(packet, 0) != (v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY))
    return std::nullopt;
  if (!datagram && word_at(packet, 4) != id) return std::nullopt;
  return word_at(packet, 6);
}

EchoSocket echo_socket(int fd, const Endpoint& remote) {
  EchoSocket out;
  out.v4 = remote.address.is_v4();
  int type = 0;
  socklen_t length = sizeof(type);
  (void)::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length);
  out.datagram = type == SOCK_DGRAM;
  // Several raw probes of one process must not take each other's replies.
  out.id = static_cast<std::uint16_t>(static_cast<unsigned>(::getpid()) * 31U + static_cast<unsigned>(fd));
  return out;
}

IcmpProbe::IcmpProbe(UniqueFd socket, const Endpoint& remote, milliseconds timeout)
    : SocketProbe(std::move(socket), Protocol::icmp, {remote.address, 0}, timeout) {}

void IcmpProbe::start(TimePoint now) {
  kind_ = echo_socket(fd(), facts().remote);
  if (const int error = connect(); error != 0) return finish(now, error);
  wait_for(POLLIN);
  send(now);
}

void IcmpProbe::send(TimePoint now) {
  const std::string packet = echo_request(kind_.v4, kind_.id, ++sequence_, kPayload);
  if (::send(fd(), packet.data(), packet.size(), MSG_NOSIGNAL) < 0 && errno != EAGAIN && errno != ENOBUFS) {
    const int error = errno;
    read_icmp_errors();
    return finish(now, error);
  }
  // The number of the datagram socket is its "port": what a capture shows as the echo's id.
  if (sequence_ == 1) note_local();
  if (sequence_ == 1 && !kind_.datagram) facts().local.port = kind_.id;
  wake_at(now + kAgain);
}

void IcmpProbe::on_ready(TimePoint now) {
  std::array<char, 1500> bytes{};
  const ssize_t n = ::recv(fd(), bytes.data(), bytes.size(), 0);
  if (n < 0) {
    const int error = errno;
    if (error == EINTR) return;
    read_icmp_errors();
    // Ping sockets leave "unreachable" in the error queue only, raw ones report it as well.
    if (error != EAGAIN) return finish(now, error);
    if (facts().icmp) finish(now, EHOSTUNREACH);
    return;
  }
  if (!echo_reply({bytes.data(), static_cast<std::size_t>(n)}, kind_.v4, kind_.datagram, kind_.id)) return;
  answered(now, "", 0);
  finish(now, 0);
}

}  // namespace podshark::probe
