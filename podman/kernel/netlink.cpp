// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/netlink.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

namespace podshark::kernel {
namespace {

constexpr std::size_t kBuffer = 65536;  // larger than any message of a dump (NLMSG_GOODSIZE, 32 KiB at most)

constexpr int kMostErrno = 4095;  // MAX_ERRNO of the kernel

void limit_wait(int fd) {
  const timeval limit{1, 0};
  (void)::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

Status send_request(int fd, std::uint16_t type, std::uint32_t sequence, const void* body, std::size_t size) {
  struct {
    nlmsghdr header;
    std::array<char, kMaxBody> body;
  } request{};
  if (size > kMaxBody) return os_error(EMSGSIZE, "ask the kernel");
  request.header.nlmsg_len = static_cast<std::uint32_t>(sizeof(nlmsghdr) + size);
  request.header.nlmsg_type = type;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.header.nlmsg_seq = sequence;
  std::memcpy(request.body.data(), body, size);
  if (::send(fd, &request, request.header.nlmsg_len, 0) < 0) return os_error(errno, "ask the kernel");
  limit_wait(fd);
  return ok();
}

ssize_t receive(int fd, std::array<char, kBuffer>& buffer) {
  for (;;) {
    sockaddr_nl sender{};
    socklen_t size = sizeof(sender);
    const ssize_t n =
        ::recvfrom(fd, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&sender), &size);
    if ((n < 0 && errno == EINTR) || (n >= 0 && sender.nl_pid != 0)) continue;
    return n;
  }
}

}  // namespace

void for_each_attribute(const char* data, std::size_t size,
                        const std::function<void(const Attribute&)>& visit) {
  while (size >= sizeof(rtattr)) {
    rtattr header{};
    std::memcpy(&header, data, sizeof(header));
    if (header.rta_len < sizeof(header) || header.rta_len > size) return;
    visit({header.rta_type & 0x3FFFU, data + sizeof(header), header.rta_len - sizeof(header)});
    const std::size_t step = std::min(aligned(header.rta_len), size);
    data += step;
    size -= step;
  }
}

void each_message(std::string_view datagram, const std::function<void(std::string_view)>& visit) {
  while (datagram.size() >= sizeof(nlmsghdr)) {
    nlmsghdr head{};
    std::memcpy(&head, datagram.data(), sizeof(head));
    if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > datagram.size()) return;
    visit(datagram.substr(0, head.nlmsg_len));
    datagram.remove_prefix(std::min(aligned(head.nlmsg_len), datagram.size()));
  }
}

Status dump(int fd, std::uint16_t type, const std::function<void(const nlmsghdr&)>& on_message) {
  const ifinfomsg body{};  // as long as the fixed part of any rtnetlink request
  return dump(fd, type, &body, sizeof(body), on_message);
}

Status dump(int fd, std::uint16_t type, const void* body, std::size_t size,
            const std::function<void(const nlmsghdr&)>& on_message) {
  static std::atomic<std::uint32_t> last_sequence{0};
  const std::uint32_t sequence = ++last_sequence;
  if (Status s = send_request(fd, type, sequence, body, size); !s) return s;
  alignas(nlmsghdr) static thread_local std::array<char, kBuffer> buffer;
  for (;;) {
    const ssize_t n = receive(fd, buffer);
    if (n < 0) return os_error(errno, "read the kernel's answer");
    std::size_t left = static_cast<std::size_t>(n);
    for (const char* at = buffer.data(); left >= sizeof(nlmsghdr);) {
      const auto& header = *reinterpret_cast<const nlmsghdr*>(at);
      if (header.nlmsg_len < sizeof(nlmsghdr) || header.nlmsg_len > left) break;
      const bool ours = header.nlmsg_seq == sequence;
      if (ours && header.nlmsg_type == NLMSG_DONE) return ok();
      if (ours && header.nlmsg_type == NLMSG_ERROR) {
        return os_error(error_of(header), "read the kernel's answer");
      }
      if (ours) on_message(header);
      const std::size_t step = std::min(aligned(header.nlmsg_len), left);
      at += step;
      left -= step;
    }
  }
}

int error_of(const nlmsghdr& header) {
  int error = -EBADMSG;
  if (header.nlmsg_len >= sizeof(nlmsghdr) + sizeof(error))
    std::memcpy(&error, reinterpret_cast<const char*>(&header) + sizeof(nlmsghdr), sizeof(error));
  return error <= 0 && error >= -kMostErrno ? -error : EBADMSG;
}

Result<std::vector<char>> ask(int fd, const void* request, std::size_t size, std::uint32_t sequence) {
  if (::send(fd, request, size, 0) < 0) return os_error(errno, "ask the kernel");
  limit_wait(fd);
  alignas(nlmsghdr) static thread_local std::array<char, kBuffer> buffer;
  for (;;) {
    const ssize_t n = receive(fd, buffer);
    if (n < static_cast<ssize_t>(sizeof(nlmsghdr)))
      return os_error(n < 0 ? errno : EBADMSG, "read the kernel's answer");
    const auto& header = *reinterpret_cast<const nlmsghdr*>(buffer.data());
    if (header.nlmsg_seq != sequence) continue;  // left over from a dump that was given up
    if (header.nlmsg_len < sizeof(nlmsghdr) || header.nlmsg_len > static_cast<std::size_t>(n))
      return os_error(EBADMSG, "read the kernel's answer");
    return std::vector<char>(buffer.data(), buffer.data() + header.nlmsg_len);
  }
}

}  // namespace podshark::kernel
