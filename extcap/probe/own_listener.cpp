// SPDX-License-Identifier: GPL-2.0-or-later
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "extcap/probe/runner.h"
#include "podman/core/text.h"
#include "podman/probe/socket_address.h"

namespace podshark::extcap::probing {
namespace {

constexpr int kBacklog = 64;

// 0 or an errno.
int bind_port(int fd, bool v4, std::uint16_t port, bool udp) {
  const int on = 1;
  const int off = 0;
  // A connection that has just ended must not keep the port; a listener still does.
  (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (!v4) (void)::setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  const IpAddress any = *IpAddress::parse(v4 ? "0.0.0.0" : "::");
  const probe::SocketAddress to = probe::to_sockaddr({any, port});
  if (::bind(fd, to.get(), to.length) != 0) return errno;
  return udp || ::listen(fd, kBacklog) == 0 ? 0 : errno;
}

Error taken(const Source& place, std::uint16_t port, bool udp, int error) {
  const std::string what = "port " + std::to_string(port) + (udp ? "/udp" : "/tcp") + " on " +
                           (place.host() ? "the host" : in_quotes(place.name));
  if (error == EADDRINUSE) {
    return {ErrorKind::usage, what + " is taken",
            "end what listens there, or probe it without a listener of our own"};
  }
  return os_error(error, "listen on " + what, {}, ErrorKind::permission);
}

}  // namespace

Result<OwnListener> open_listener(WorkerClient& worker, const Source& place, std::uint16_t port, bool udp,
                                  std::string answer) {
  const SocketKind kind = udp ? SocketKind::udp : SocketKind::tcp;
  bool v4 = false;
  Result<std::vector<UniqueFd>> fd = open_sockets(worker, place, {{kind, v4}});
  if (!fd && fd.error().kind == ErrorKind::unsupported) {
    v4 = true;
    fd = open_sockets(worker, place, {{kind, v4}});
  }
  if (!fd) return fd.error();
  int error = bind_port(fd->front().get(), v4, port, udp);
  if (error != 0 && error != EADDRINUSE && !v4) {
    // With the sysctl disable_ipv6 there are IPv6 sockets, but no address to bind to.
    v4 = true;
    fd = open_sockets(worker, place, {{kind, v4}});
    if (!fd) return fd.error();
    error = bind_port(fd->front().get(), v4, port, udp);
  }
  if (error != 0) return taken(place, port, udp, error);
  OwnListener out;
  out.answer = std::move(answer);
  out.arrivals = std::make_unique<std::vector<probe::Arrival>>();
  out.machine = std::make_unique<probe::Listener>(std::move(fd->front()), udp, out.answer + "\n",
                                                  [to = out.arrivals.get()](const probe::Arrival& a) {
                                                    if (to->size() < OwnListener::kMaxArrivals)
                                                      to->push_back(a);
                                                  });
  return out;
}

}  // namespace podshark::extcap::probing
