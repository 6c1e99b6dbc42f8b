// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/announce/inbox.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "extcap/announce/address.h"
#include "extcap/directories.h"

namespace podshark::extcap {
namespace {

// Who sent it, as the kernel says; nobody when it does not.
uid_t sender(msghdr& message) {
  for (cmsghdr* h = CMSG_FIRSTHDR(&message); h != nullptr; h = CMSG_NXTHDR(&message, h)) {
    if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_CREDENTIALS ||
        h->cmsg_len < CMSG_LEN(sizeof(ucred)))
      continue;
    ucred credentials{};
    std::memcpy(&credentials, CMSG_DATA(h), sizeof(credentials));
    return credentials.uid;
  }
  return static_cast<uid_t>(-1);
}

}  // namespace

Result<Inbox> Inbox::open() {
  const Result<std::string> path = runtime_directory();
  if (!path) return path.error();
  UniqueFd directory(::open(path->c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return os_error(errno, "open '" + *path + "'");
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (!socket || ::setsockopt(socket.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0)
    return os_error(errno, "make a socket");
  std::string name = std::string(kInboxPrefix) + std::to_string(::getpid());
  (void)::unlinkat(directory.get(), name.c_str(), 0);  // of a killed process that had this number
  const sockaddr_un address = inbox_address(directory.get(), name);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return os_error(errno, "make '" + *path + "/" + name + "'");
  return Inbox(std::move(directory), std::move(socket), std::move(name));
}

void Inbox::remove() {
  if (socket_) (void)::unlinkat(directory_.get(), name_.c_str(), 0);
}

std::optional<annotate::Event> Inbox::next() {
  std::string text(annotate::kMaxPayload, '\0');
  for (;;) {
    alignas(cmsghdr) std::array<char, 256> control{};
    iovec part{text.data(), text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t n = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    const uid_t from = sender(message);
    if ((from != ::geteuid() && from != 0) || (message.msg_flags & MSG_TRUNC) != 0) continue;
    Result<annotate::Event> event =
        annotate::decode_event(std::string_view(text).substr(0, static_cast<std::size_t>(n)));
    if (event) return std::move(*event);
  }
}

}  // namespace podshark::extcap
