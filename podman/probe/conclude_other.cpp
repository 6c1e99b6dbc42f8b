// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/probe/conclude_other.h"

#include <netinet/ip_icmp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "podman/core/text.h"
#include "podman/probe/dns_message.h"

namespace podshark::probe {
namespace {

constexpr std::size_t kMaxPorts = 8;
constexpr std::size_t kMaxAddresses = 4;

std::string code_text4(std::uint8_t code) {
  switch (code) {
    case ICMP_NET_UNREACH:
      return "network unreachable";
    case ICMP_HOST_UNREACH:
      return "host unreachable";
    case ICMP_PROT_UNREACH:
      return "protocol unreachable";
    case ICMP_PORT_UNREACH:
      return "port unreachable";
    case ICMP_FRAG_NEEDED:
      return "fragmentation needed";
    case ICMP_NET_ANO:
    case ICMP_HOST_ANO:
    case ICMP_PKT_FILTERED:
      return "administratively prohibited";
    default:
      return "unreachable";
  }
}

std::string code_text6(std::uint8_t code) {
  switch (code) {  // RFC 4443, 3.1
    case 0:
      return "no route";
    case 1:
    case 5:
    case 6:
      return "administratively prohibited";
    case 3:
      return "address unreachable";
    case 4:
      return "port unreachable";
    default:
      return "unreachable";
  }
}

bool prohibited(const IcmpError& e) {
  const std::string text = to_string(e);
  return text.starts_with("administratively");
}

std::string address_list(const std::vector<IpAddress>& addresses) {
  std::string out;
  for (std::size_t i = 0; i < addresses.size() && i < kMaxAddresses; ++i)
    out += (i == 0 ? "" : ", ") + addresses[i].text();
  if (addresses.size() > kMaxAddresses)
    out += " and " + std::to_string(addresses.size() - kMaxAddresses) + " more";
  return out;
}

void no_echo(const Evidence& e, Conclusion& out) {
  out.outcome = Outcome::filtered;
  out.reason = "no echo within " + seconds_text(e.timeout) + ": dropped on the way there or back";
}

void conclude_icmp(const Evidence& e, Conclusion& out) {
  const Attempt& a = e.attempt;
  if (a.answered) {
    out.outcome = Outcome::ok;
    out.reason = "it answers echo requests";
  } else if (a.error == ETIMEDOUT) {
    no_echo(e, out);
  } else {
    conclude_failure(e, out);
  }
}

void conclude_mtu(const Evidence& e, Conclusion& out) {
  const Attempt& a = e.attempt;
  if (a.mtu == 0) return conclude_icmp(e, out);
  const std::string size = std::to_string(a.mtu) + " bytes";
  if (a.mtu_silent) {
    out.outcome = Outcome::filtered;
    out.reason = "packets of more than " + size + " vanish, and no ICMP error tells the sender";
    out.hint =
        "let ICMP 'fragmentation needed' pass, or make the network with --opt mtu=" + std::to_string(a.mtu);
    return;
  }
  out.outcome = Outcome::ok;
  out.reason = (a.error == ETIMEDOUT ? "at least " : "") + size + " pass unfragmented";
  if (a.icmp && a.icmp->mtu != 0) out.evidence.push_back("ICMP: " + to_string(*a.icmp));
}

void conclude_dns(const Evidence& e, Conclusion& out) {
  const Attempt& a = e.attempt;
  const std::string server = to_string(a.remote);
  const std::string name = in_quotes(a.dns.name);
  if (a.error == ECONNREFUSED) {
    out.outcome = Outcome::refused;
    out.reason = "no name server at " + server;
    out.hint = "if it is podman's: podman network reload of a container in the network starts it again";
  } else if (!a.answered && a.error == ETIMEDOUT) {
    out.outcome = Outcome::filtered;
    out.reason = "no answer of " + server + " within " + seconds_text(e.timeout);
    out.hint = "is UDP port 53 to the gateway open on the host's input chain?";
  } else if (!a.answered) {
    conclude_failure(e, out);
  } else if (!a.dns.addresses.empty()) {
    out.outcome = Outcome::ok;
    out.reason = name + " is " + address_list(a.dns.addresses);
  } else {
    out.outcome = Outcome::no_name;
    out.reason = server + " answers for " + name + ": " +
                 (a.dns.code == 0 ? "it has no address" : dns_code_text(a.dns.code));
  }
}

}  // namespace

void conclude_other(const Evidence& e, Conclusion& out) {
  switch (e.attempt.protocol) {
    case Protocol::dns:
      return conclude_dns(e, out);
    case Protocol::path_mtu:
      return conclude_mtu(e, out);
    default:
      return conclude_icmp(e, out);
  }
}

void conclude_failure(const Evidence& e, Conclusion& out) {
  const Attempt& a = e.attempt;
  out.outcome = Outcome::unreachable;
  if (a.icmp && prohibited(*a.icmp)) {
    out.reason = "a firewall rejects it";
  } else if (a.error == ENETUNREACH) {
    out.reason = "there is no route to " + a.remote.address.text();
  } else if (a.error == EHOSTUNREACH) {
    out.reason = a.icmp ? "a router says that it cannot be reached"
                        : "no neighbour on the link answers for " + a.remote.address.text() +
                              ", or a route forbids it";
  } else if (a.error == EPERM || a.error == EACCES) {
    out.reason = "a firewall rule at the source forbids sending";
  } else {
    out.outcome = Outcome::not_measured;
    out.reason = std::strerror(a.error);
  }
}

std::string port_list(const std::vector<std::uint16_t>& ports) {
  std::string out;
  for (std::size_t i = 0; i < ports.size() && i < kMaxPorts; ++i)
    out += (i == 0 ? "" : ", ") + std::to_string(ports[i]);
  if (ports.size() > kMaxPorts) out += " and " + std::to_string(ports.size() - kMaxPorts) + " more";
  return out;
}

std::string seconds_text(milliseconds time) {
  const auto ms = time.count();
  std::string out = std::to_string(ms / 1000);
  if (ms % 1000 != 0) {
    std::string fraction = std::to_string(ms % 1000 + 1000).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    out += "." + fraction;
  }
  return out + " s";
}

std::string to_string(const IcmpError& e) {
  const bool v4 = e.from.is_v4();
  const bool unreachable = v4 ? e.type == ICMP_DEST_UNREACH : e.type == 1;
  const bool time = v4 ? e.type == ICMP_TIME_EXCEEDED : e.type == 3;
  std::string out = "error";
  if (unreachable) out = v4 ? code_text4(e.code) : code_text6(e.code);
  if (time) out = "time exceeded: a routing loop";
  if (!v4 && e.type == 2) out = "packet too big";
  if (e.mtu != 0) out += ", at most " + std::to_string(e.mtu) + " bytes";
  return out + " (type " + std::to_string(e.type) + " code " + std::to_string(e.code) + ") from " +
         e.from.text();
}

}  // namespace podshark::probe
