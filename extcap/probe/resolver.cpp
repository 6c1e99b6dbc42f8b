// SPDX-License-Identifier: GPL-2.0-or-later
#include <cerrno>

#include "extcap/probe/names.h"
#include "extcap/probe/runner.h"
#include "podman/core/text.h"
#include "podman/probe/dns.h"

namespace podshark::extcap::probing {
namespace {

using probe::Clock;

// IPv4 first, as with container addresses.
IpAddress best_of(const std::vector<IpAddress>& addresses) {
  for (const IpAddress& a : addresses) {
    if (a.is_v4()) return a;
  }
  return addresses.front();
}

Error unknown_name(const Source& source, const std::string& name, const std::string& why) {
  return {ErrorKind::not_found,
          "the name " + in_quotes(name) + " is unknown to " + one_line(source.name, 80) + why,
          {}};
}

}  // namespace

Result<IpAddress> SourceResolver::resolve(const Source& source, const std::string& name) {
  if (!is_host_name(name)) return unknown_name(source, name, ": it is no host name");
  const Result<NameService> names = read_name_service(source.pid);
  if (!names) return names.error();
  if (const auto known = find_host(*names, name); !known.empty()) return best_of(known);
  std::string why = ": its resolv.conf names no server";
  // As the C library: the next server only when this one does not answer.
  const probe::TimePoint deadline = Clock::now() + timeout_;
  for (const IpAddress& server : names->servers) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) break;
    Result<std::vector<UniqueFd>> fd = open_sockets(worker_, source, {{SocketKind::udp, server.is_v4()}});
    if (!fd) return fd.error();
    const auto share =
        std::max(left / static_cast<int>(names->servers.size()), std::chrono::milliseconds(300));
    const auto id = static_cast<std::uint16_t>(std::stoul(random_id().substr(0, 4), nullptr, 16));
    probe::DnsProbe ask(std::move(fd->front()), {server, 53}, std::min(share, left),
                        with_search(*names, name), id);
    if (!probe::run({&ask}, {}, deadline, stop_fd_)) break;
    const probe::Attempt& a = ask.attempt();
    if (!a.dns.addresses.empty()) return best_of(a.dns.addresses);
    why = a.answered ? " (" + probe::dns_code_text(a.dns.code) + ")"
                     : ": " + server.text() + " does not answer";
    if (a.answered) break;
  }
  return unknown_name(source, name, why);
}

}  // namespace podshark::extcap::probing
