// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/announce/announce.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "extcap/announce/address.h"
#include "extcap/directories.h"
#include "podman/core/fd.h"

namespace podshark::extcap {
namespace {

std::vector<std::string> inboxes(int directory) {
  std::vector<std::string> out;
  const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(copy < 0 ? nullptr : ::fdopendir(copy), ::closedir);
  if (!entries) return out;
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string name = entry->d_name;
    if (name.starts_with(kInboxPrefix)) out.push_back(name);
  }
  return out;
}

void send_to(int directory, const std::string& name, const std::string& text) {
  const sockaddr_un address = inbox_address(directory, name);
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    // Its process was killed: nobody else would take the name away.
    if (errno == ECONNREFUSED) (void)::unlinkat(directory, name.c_str(), 0);
    return;
  }
  if (::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL) >= 0 || errno != EAGAIN) return;
  pollfd room{socket.get(), POLLOUT, 0};
  if (::poll(&room, 1, kAnnounceWaitMs) > 0)
    (void)::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

}  // namespace

void announce(const annotate::Event& event) {
  const Result<std::string> path = runtime_directory();
  if (!path) return;
  const UniqueFd directory(::open(path->c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return;
  std::string text;
  for (const std::string& name : inboxes(directory.get())) {
    if (text.empty()) text = annotate::encode_event(event);
    send_to(directory.get(), name, text);
  }
}

}  // namespace podshark::extcap
