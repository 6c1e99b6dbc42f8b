// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/core/text.h"
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace ipam_conflict {

const std::vector<std::string> kWords{"already allocated", "failed to find free IP", "no free IP", "ipam"};

std::string holder(const Facts& facts, const ContainerFacts& c) {
  const std::optional<IpAddress> wanted = IpAddress::parse(c.container->asks_address);
  for (const ContainerFacts& other : facts.containers) {
    for (const model::Attachment& a : other.container->networks) {
      for (const std::string& text : a.addresses) {
        if (wanted && &other != &c && other.container->alive() && IpAddress::parse(text) == wanted)
          return other.subject();
      }
    }
  }
  return {};
}

void check(const Facts& facts, Findings& out) {
  each_not_started(facts, [&](const ContainerFacts& c) {
    const std::string error = start_error(c, kWords);
    const std::string other = holder(facts, c);
    if (error.empty() && (other.empty() || c.container->state != "created")) return;
    Finding f = finding(kIpamConflict.id, Severity::error, c.subject(),
                        "it did not start: it could not get an address");
    f.certainty = error.empty() ? 80 : 100;
    if (!error.empty()) f.evidence = {"podman: " + error};
    if (!other.empty())
      f.evidence.push_back(one_line(c.container->asks_address, 64) + " (--ip) belongs to " + other);
    f.fix = {"another --ip, or none, or a network with a larger subnet",
             "if no container has that address: /run/containers/networks/ipam.db is left over from before a "
             "reboot"};
    out.push_back(std::move(f));
  });
}

}  // namespace ipam_conflict

const Check kIpamConflict{
    "ipam.conflict", "no free address",
    "The start fails: 'requested ip address X is already allocated to container ID', or 'failed to find free "
    "IP in "
    "range'. Another container has the address, the subnet is full, or ipam.db survived a reboot.",
    ipam_conflict::check};

}  // namespace podshark::diagnose
