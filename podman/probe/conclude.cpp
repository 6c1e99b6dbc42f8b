// SPDX-License-Identifier: GPL-2.0-or-later
// A connection that succeeds proves little: conmon's reserved port completes handshakes when the port rules
// are gone, and a rootless forwarder accepts before it has tried the container. So the socket's story is only
// the first witness; the socket tables of both namespaces are the others.
#include "podman/probe/conclude.h"

#include <cerrno>
#include <cstring>

#include "podman/core/text.h"
#include "podman/probe/conclude_other.h"

namespace podshark::probe {
namespace {

std::string port_inside(const Evidence& e) {
  return "port " + std::to_string(e.container_port) + " inside " + in_quotes(e.container);
}

std::string reload(const Evidence& e) {
  return "podman network reload " + e.container;
}

std::string forwarder(const Evidence& e) {
  return e.holder_name.empty() ? "the forwarder of rootless ports" : e.holder_name;
}

// The commonest reasons of all, and the cheapest to see: the application itself.
bool blame_application(const Evidence& e, Conclusion& out) {
  if (!e.inside.known || e.inside.listens) return false;
  if (e.inside.loopback_only) {
    out.reason = "the application listens on its loopback address only";
    out.evidence.push_back(port_inside(e) +
                           " has a listener on 127.0.0.1 or ::1, and none on another address");
    out.hint = "let the application listen on 0.0.0.0 or ::";
    return true;
  }
  out.reason = "nothing listens on " + port_inside(e);
  if (e.inside.ports.empty()) {
    out.evidence.push_back("no listener at all inside " + in_quotes(e.container));
    out.hint = "is the application up?";
  } else {
    out.evidence.push_back("it listens on " + port_list(e.inside.ports));
    out.hint = e.published ? "publish the port that the application listens on" : "probe one of these ports";
  }
  return true;
}

void refused(const Evidence& e, Conclusion& out) {
  out.outcome = Outcome::refused;
  if (e.published && e.rootless && e.holder == Holder::none) {
    out.reason = "no process holds the published port on the host: its forwarder has died";
    out.hint = "podman restart " + e.container;
    return;
  }
  if (blame_application(e, out)) return;
  if (e.inside.known) {
    out.reason =
        "refused, although the application listens: a firewall rule rejects it, or an old port rule leads "
        "elsewhere";
    out.evidence.push_back(port_inside(e) + " has a listener");
    if (!e.rootless) out.hint = reload(e);
    return;
  }
  out.reason = "nothing listens there, or a firewall rule rejects it";
}

void filtered(const Evidence& e, Conclusion& out) {
  out.outcome = Outcome::filtered;
  out.reason = "no answer within " + seconds_text(e.timeout);
  if (e.container.empty()) {
    out.reason += ": dropped on the way there or back, or nobody has this address";
    return;
  }
  out.reason += ": dropped on the way there or back";
  if (e.inside.known && e.inside.listens) out.evidence.push_back(port_inside(e) + " has a listener");
  Conclusion application;
  // Not the cause: it would have refused.
  if (blame_application(e, application)) out.evidence.push_back("moreover, " + application.reason);
  out.hint = "look for dropping firewall rules, routes and the container's link";
}

// Handshake done, then end of file or reset.
void closed(const Evidence& e, Conclusion& out) {
  out.outcome = Outcome::closed;
  out.evidence.push_back(std::string(e.attempt.reset ? "reset " : "closed ") +
                         std::to_string(e.attempt.watched.count()) + " ms after the handshake");
  const bool helped = e.published && e.rootless;
  if (helped) out.evidence.push_back(forwarder(e) + " accepts on the host before it tries the container");
  if (blame_application(e, out)) return;
  if (helped) {
    out.reason = forwarder(e) + " could not reach the application, or that closed at once";
    out.hint = "if other ports of it fail too: podman restart " + e.container;
    return;
  }
  out.reason = "the application accepted, and closed at once";
}

void missing_rules(const Evidence& e, Conclusion& out) {
  out.outcome = Outcome::silent;
  out.reason = "connected, then silence: DNAT is missing for the published port";
  std::string where = "the connection ended at conmon, which holds the port on the host and never accepts";
  if (e.holder != Holder::conmon) where = "the connection ended in a queue on the host that nobody reads";
  if (e.held && *e.held > 0) where += " (Recv-Q " + std::to_string(*e.held) + ")";
  out.evidence.push_back(where);
  if (!e.unforwarded.empty()) {
    out.evidence.push_back("podman makes no port rules for its network: " + e.unforwarded);
    out.hint = "use a bridge network that is not internal";
    return;
  }
  out.hint = reload(e);
}

void not_accepted(const Evidence& e, std::uint32_t queue, Conclusion& out) {
  out.outcome = Outcome::silent;
  out.reason = "connected, then silence: the application does not accept connections";
  out.evidence.push_back("the connection waits in the queue of the listener" +
                         (queue > 0 ? " (Recv-Q " + std::to_string(queue) + ")" : std::string()));
  out.hint = e.container.empty() ? "if root's podman publishes this port, its port rules (DNAT) are missing"
                                 : "is the application hanging or overloaded?";
}

// Old port rules, or an address that two have: somebody answers, but the container has no trace of it.
bool elsewhere(const Evidence& e) {
  return e.traceable && !e.rootless && e.inside.known && e.inside.server_end == ServerEnd::absent;
}

bool host_has_it(const Evidence& e) {
  return e.published && e.holder == Holder::other && e.server_end == ServerEnd::accepted;
}

// Among other connections it may be one whose port masquerading has changed.
bool surely_elsewhere(const Evidence& e) {
  return elsewhere(e) && (!e.inside.others || host_has_it(e));
}

void not_the_container(const Evidence& e, Conclusion& out) {
  out.outcome = Outcome::silent;
  out.reason = "connected, but not to " + in_quotes(e.container);
  out.evidence.push_back("the connection is not among the sockets inside " + in_quotes(e.container));
  if (host_has_it(e)) {
    out.evidence.push_back("on the host, " + (e.holder_name.empty() ? "a process" : e.holder_name) +
                           " has accepted it");
    out.hint = "end what else listens on that port of the host, then " + reload(e);
    return;
  }
  Conclusion application;
  if (blame_application(e, application)) out.evidence.push_back("moreover, " + application.reason);
  out.hint = e.published ? "old port rules (DNAT) may lead elsewhere: " + reload(e)
                         : "another machine or container may have its address, or a rule leads elsewhere";
}

void accepted(const Evidence& e, Conclusion& out) {
  out.outcome = Outcome::ok;
  out.reason = "reached the application";
  if (e.inside.server_end == ServerEnd::accepted || e.server_end == ServerEnd::accepted) {
    out.evidence.push_back("a process has accepted the connection");
  } else if (elsewhere(e)) {
    out.reason = "connected, and kept open";
    out.evidence.push_back("none of the connections to " + port_inside(e) +
                           " has the probe's port: masquerading has changed it, or the way leads elsewhere");
  } else if (!e.container.empty() && e.inside.listens) {
    out.evidence.push_back(port_inside(e) + " has a listener");
  } else {
    out.reason = "connected, and kept open";
    out.evidence.push_back("what is behind it cannot be seen from here");
  }
}

// Open and nothing said, as with every server that waits for its client.
void kept_open(const Evidence& e, Conclusion& out) {
  out.evidence.push_back("kept open for " + std::to_string(e.attempt.watched.count()) + " ms");
  const bool reserved = e.holder == Holder::conmon && e.held.value_or(0) > 0;
  const bool stuck_here = e.server_end == ServerEnd::waiting;
  if (e.published && !e.rootless && (stuck_here || (reserved && e.server_end == ServerEnd::unknown)))
    return missing_rules(e, out);
  if (stuck_here) return not_accepted(e, e.held.value_or(0), out);
  if (e.inside.server_end == ServerEnd::waiting) return not_accepted(e, e.inside.queue, out);
  if (e.inside.server_end == ServerEnd::accepted) return accepted(e, out);
  if (e.published && e.rootless && e.inside.known && !e.inside.listens) {
    out.outcome = Outcome::silent;
    (void)blame_application(e, out);
    out.evidence.push_back(forwarder(e) + " keeps the connection open");
    return;
  }
  if (surely_elsewhere(e)) return not_the_container(e, out);
  accepted(e, out);
}

void conclude_connected(const Evidence& e, Conclusion& out) {
  const Attempt& a = e.attempt;
  if (a.answered && e.expected.empty() && surely_elsewhere(e)) {
    out.evidence.push_back("it said \"" + one_line(a.said, 60) + '"');
    return not_the_container(e, out);
  }
  if (a.answered && (e.expected.empty() || a.said.starts_with(e.expected))) {
    out.outcome = Outcome::ok;
    out.reason = e.expected.empty() ? "reached the application: it answered" : "reached the listener";
    return;
  }
  if (a.answered) {
    out.outcome = Outcome::silent;
    out.reason = "connected, but somebody else than the listener answered";
    out.evidence.push_back("it said \"" + one_line(a.said, 60) + '"');
    return;
  }
  if (a.closed || a.reset) return closed(e, out);
  kept_open(e, out);
  if (!e.expected.empty() && out.outcome == Outcome::ok) {
    out.outcome = Outcome::silent;
    out.reason = "connected, but not to the listener";
  }
}

void conclude_tcp(const Evidence& e, Conclusion& out) {
  const Attempt& a = e.attempt;
  if (a.connected) return conclude_connected(e, out);
  if (a.error == ECONNREFUSED || a.error == ECONNRESET) return refused(e, out);
  if (a.error == ETIMEDOUT) return filtered(e, out);
  conclude_failure(e, out);
}

void conclude_udp_silence(const Evidence& e, Conclusion& out) {
  if (e.published && !e.rootless && e.holder == Holder::conmon && e.held.value_or(0) > 0) {
    missing_rules(e, out);
    out.reason = "no answer: DNAT is missing for the published port";
    return;
  }
  if (!e.expected.empty()) {
    filtered(e, out);
    if (e.arrived) out.reason = "it arrived, but the answer was lost on the way back";
    return;
  }
  if (!e.inside.known || !e.inside.listens) return filtered(e, out);
  out.outcome = Outcome::silent;
  out.reason = "no answer within " + seconds_text(e.timeout);
  out.evidence.push_back(port_inside(e) + " has a socket; it may ignore what it does not understand");
  if (e.inside.queue > 0)
    out.evidence.push_back("the socket holds unread data (Recv-Q " + std::to_string(e.inside.queue) + ")");
  out.hint = "to test the way alone, end the application and add --listen";
}

void conclude_udp(const Evidence& e, Conclusion& out) {
  const Attempt& a = e.attempt;
  if (a.answered) {
    const bool ours = e.expected.empty() || a.said.starts_with(e.expected);
    out.outcome = ours ? Outcome::ok : Outcome::silent;
    out.reason = !ours                ? "somebody else than the listener answered"
                 : e.expected.empty() ? "reached the application: it answered"
                                      : "reached the listener";
    return;
  }
  if (a.error == ECONNREFUSED) return refused(e, out);
  if (a.error == ETIMEDOUT) return conclude_udp_silence(e, out);
  conclude_failure(e, out);
}

}  // namespace

const char* to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok:
      return "ok";
    case Outcome::refused:
      return "refused";
    case Outcome::filtered:
      return "filtered";
    case Outcome::unreachable:
      return "unreachable";
    case Outcome::closed:
      return "closed";
    case Outcome::silent:
      return "silent";
    case Outcome::no_name:
      return "no_name";
    case Outcome::not_measured:
      return "not_measured";
  }
  return "";
}

Conclusion conclude(const Evidence& e) {
  Conclusion out;
  if (!e.attempt.not_measured.empty()) {
    out.reason = e.attempt.not_measured;
    return out;
  }
  switch (e.attempt.protocol) {
    case Protocol::tcp:
      conclude_tcp(e, out);
      break;
    case Protocol::udp:
      conclude_udp(e, out);
      break;
    default:
      conclude_other(e, out);
  }
  if (e.attempt.icmp && out.outcome != Outcome::ok)
    out.evidence.push_back("ICMP: " + to_string(*e.attempt.icmp));
  return out;
}

}  // namespace podshark::probe
