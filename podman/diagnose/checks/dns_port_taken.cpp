// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace dns_port_taken {

void judge_running(const Facts& facts, Findings& out) {
  each_bridged(facts, [&](const ContainerFacts& c) {
    if (!resolver_of(facts, c)) return;
    for (const Leg& leg : legs(facts, c)) {
      const std::optional<IpAddress> gateway = IpAddress::parse(leg.attachment->gateway);
      if (leg.network == nullptr || !leg.network->dns || !gateway) continue;
      const model::Listener* there = name_server(facts.where(c.place), *gateway);
      // named and unbound take each address of the host by itself, also that of a new bridge.
      const bool anothers = there != nullptr && !there->program.empty() && there->program != "aardvark-dns";
      if (there != nullptr && !anothers) continue;
      const model::Listener* other = anothers ? there : foreign_dns(facts, c.place);
      if (other == nullptr) continue;
      Finding f = finding(
          kDnsPortTaken.id, Severity::error, c.subject(),
          "another program holds port 53, so the name server of its network could not start: names do "
          "not resolve in it");
      f.evidence = {"udp " + other->address.text() + ":53 is held by " + owner_text(*other) +
                    (anothers ? std::string() : "; nobody listens on " + leg.attachment->gateway + ":53")};
      f.fix = {"let that program listen on fixed addresses instead of every one, then " + reload(facts, c),
               "or give podman another port: dns_bind_port = 1153 in section [network] of containers.conf"};
      out.push_back(std::move(f));
      return;
    }
  });
}

void judge_failed(const Facts& facts, Findings& out) {
  each_not_started(facts, [&](const ContainerFacts& c) {
    const std::string error = start_error(c, {"failed to bind udp listener", "failed to bind tcp listener"});
    if (error.empty()) return;
    const model::Listener* other = foreign_dns(facts, Place::host);
    Finding f = finding(
        kDnsPortTaken.id, Severity::error, c.subject(),
        "it did not start: another program holds port 53, which the name server of its network needs");
    f.evidence = {"podman: " + error};
    if (other != nullptr)
      f.evidence.push_back("udp " + other->address.text() + ":53 is held by " + owner_text(*other));
    f.fix = {"let that program listen on fixed addresses instead of every one, then " + podman(facts, c) +
                 " start " + c.name(),
             "or give podman another port: dns_bind_port = 1153 in section [network] of containers.conf"};
    out.push_back(std::move(f));
  });
}

void check(const Facts& facts, Findings& out) {
  judge_running(facts, out);
  judge_failed(facts, out);
}

}  // namespace dns_port_taken

const Check kDnsPortTaken{
    "dns.port-taken", "another program holds port 53",
    "aardvark-dns up to 1.11: the container starts, names time out. Later: the start fails with 'failed to "
    "bind udp "
    "listener on GATEWAY:53'. Proof: a socket of another program on 0.0.0.0:53 and none on GATEWAY:53.",
    dns_port_taken::check};

}  // namespace podshark::diagnose
