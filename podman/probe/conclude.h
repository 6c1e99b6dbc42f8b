// SPDX-License-Identifier: GPL-2.0-or-later
// From what a probe met, and what /proc shows around it, to one outcome with its reasons. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "podman/probe/attempt.h"

namespace podshark::probe {

enum class Outcome {
  ok,
  refused,       ///< somebody said no: a reset, or ICMP port unreachable
  filtered,      ///< nothing came back
  unreachable,   ///< no route, no neighbour, or ICMP says so
  closed,        ///< accepted, then closed at once
  silent,        ///< it ended in a queue that nobody reads, or nobody answered
  no_name,       ///< DNS: the server answered, but not with an address
  not_measured,  ///< there was no try
};
/// "ok", "refused", … "not_measured".
[[nodiscard]] const char* to_string(Outcome outcome);

/// Where the server's end of a connection is, in the socket table of one namespace.
enum class ServerEnd {
  unknown,   ///< the table could not be read
  absent,    ///< not in this namespace
  deferred,  ///< there, in whose hands is not known: the kernel keeps it until the client speaks, or it ends
  waiting,   ///< in the listener's queue: no process has accepted it
  accepted,  ///< a process has it
};

/// The process that holds the published port on the host.
enum class Holder {
  unknown,
  none,       ///< nobody listens on it
  conmon,     ///< reserves it for a rootful container and never accepts
  forwarder,  ///< rootlessport, slirp4netns or pasta
  other,
};

/// What the container's namespace shows about the port.
struct Inside {
  bool known = false;                ///< the socket tables were readable
  bool listens = false;              ///< on an address that can be reached from outside
  bool loopback_only = false;        ///< on 127.0.0.1 or ::1 only
  std::vector<std::uint16_t> ports;  ///< what is listened on otherwise, same protocol, ascending
  ServerEnd server_end = ServerEnd::unknown;
  std::uint32_t queue = 0;  ///< Recv-Q of the listener: connections not accepted, or bytes not read
  bool others = false;      ///< TCP: the port has live connections, with other ports of their clients
};

struct Evidence {
  Attempt attempt;
  milliseconds timeout{0};
  std::string container;             ///< the target's name, clean; empty when the target is none
  std::uint16_t container_port = 0;  ///< the port inside
  bool published = false;            ///< aimed at a published port of it, on the host
  bool rootless = false;
  std::string unforwarded;  ///< why podman makes no port rules for its network ("it is internal")
  Holder holder = Holder::unknown;
  std::string holder_name;                    ///< "rootlessport", clean
  std::optional<std::uint32_t> held;          ///< Recv-Q of the holder's socket after the probe
  ServerEnd server_end = ServerEnd::unknown;  ///< in the namespace the probe came from
  Inside inside;
  /// TCP: a connection to the container would be seen inside, with the probe's own port: no program carries
  /// it on under another one, and it was still open when the tables had been read.
  bool traceable = false;
  std::string expected;  ///< what our own listener answers; empty without one
  bool arrived = false;  ///< it has told of the arrival
};

struct Conclusion {
  Outcome outcome = Outcome::not_measured;
  std::string reason;                 ///< half a sentence
  std::vector<std::string> evidence;  ///< sentences
  std::string hint;                   ///< what to do, may be empty
};

[[nodiscard]] Conclusion conclude(const Evidence& evidence);

/// "host unreachable (type 3 code 1) from 10.0.0.1".
[[nodiscard]] std::string to_string(const IcmpError& error);

}  // namespace podshark::probe
