// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/wire/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71  // Linux 5.14
#endif

namespace podshark::wire {

std::uint64_t ns_inode(int ns_fd) {
  struct stat st;
  return fstat(ns_fd, &st) == 0 ? st.st_ino : 0;
}

int join_netns(int netns_fd) {
  if (setns(netns_fd, CLONE_NEWNET) == 0) return 0;
  const int first_error = errno;
  if (first_error != EPERM) return -first_error;
  // user_namespaces(7): whoever created a user namespace has every capability in it. The owner of the netns
  // counts, not the process's user namespace: with keep-id, nomap or auto they differ.
  const int user_fd = ioctl(netns_fd, NS_GET_USERNS);
  if (user_fd < 0) return -first_error;
  const int own_fd = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
  // Joining one's own user namespace is EINVAL, and would gain nothing.
  const bool own = own_fd >= 0 && ns_inode(own_fd) == ns_inode(user_fd);
  if (own_fd >= 0) close(own_fd);
  int error = own ? first_error : 0;
  if (!own && setns(user_fd, CLONE_NEWUSER) != 0) error = errno;
  close(user_fd);
  if (error != 0) return -error;
  return setns(netns_fd, CLONE_NEWNET) == 0 ? 0 : -errno;
}

int open_socket(int domain, int type, int protocol, std::uint64_t* cookie) {
  const int fd = socket(domain, type | SOCK_CLOEXEC, protocol);
  if (fd < 0) return -errno;
  *cookie = 0;
  socklen_t length = sizeof(*cookie);
  (void)getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, cookie, &length);
  return fd;
}

}  // namespace podshark::wire
