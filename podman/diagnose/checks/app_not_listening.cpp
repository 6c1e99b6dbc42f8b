// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace app_not_listening {

constexpr std::int64_t kStarting = 10;  // seconds after its start in which a program may not listen yet

std::string other_ports(const Netns& net, bool udp) {
  std::string out;
  std::uint16_t last = 0;
  for (const model::Listener& l : net.listeners) {
    if (l.udp != udp || l.port == last || l.address.loopback() || out.size() > 60) continue;
    out += (out.empty() ? "" : ", ") + std::to_string(l.port);
    last = l.port;
  }
  return out;
}

Finding silent(const Facts& facts, const ContainerFacts& c, const Published& port) {
  Finding f = finding(kAppNotListening.id, Severity::error, c.subject(),
                      "nothing in the container listens on the port that connections are sent to");
  const std::string others = other_ports(c.net, port.udp);
  f.evidence = {"no " + std::string(port.udp ? "UDP socket" : "TCP listener") + " on port " +
                std::to_string(port.container_port) +
                (port.host_port != 0 ? " (published as " + port.text() + ")" : "") +
                (others.empty() ? "; it listens on no port" : "; it listens on " + others)};
  const std::int64_t age = facts.inventory.time_ns / 1'000'000'000 - c.container->started_at;
  if (age >= 0 && age < kStarting) {
    f.severity = Severity::warning;
    f.certainty = 50;
    f.evidence.push_back("it started " + std::to_string(age) + " s ago and may not be ready yet");
  }
  // A UDP server may use a connected socket for each peer, which the table shows only while one talks.
  if (port.udp) {
    f.severity = Severity::warning;
    f.certainty = 60;
  }
  f.fix = {others.empty() ? "look why the program does not listen: " + podman(facts, c) + " logs " + c.name()
                          : "publish the port that it listens on, or make it listen on " +
                                std::to_string(port.container_port)};
  return f;
}

// Media and passive FTP servers publish many, and open each for one call or transfer.
Finding idle_range(const ContainerFacts& c, const Published& first, std::size_t number) {
  Finding f = finding(kAppNotListening.id, Severity::info, c.subject(),
                      "nothing listens on some of the ports that it publishes as a range");
  f.evidence = {std::to_string(number) + " ports of a range have no listener now, the first is " +
                first.text()};
  f.fix = {"nothing, where the program opens them when they are needed"};
  return f;
}

void check(const Facts& facts, Findings& out) {
  each_running(facts, [&](const ContainerFacts& c) {
    if (c.container->state == "initialized" || c.container->state == "paused" || !c.net.listeners_known)
      return;
    const bool named = is_target(facts, c) && facts.question.port;
    std::vector<Published> idle;
    for (const Published& port : expected_ports(facts, c)) {
      if (listener(c.net, port.container_port, port.udp) != nullptr ||
          loopback_listener(c.net, port.container_port, port.udp) != nullptr)
        continue;
      if (port.of_range && !named) {
        idle.push_back(port);
      } else {
        out.push_back(silent(facts, c, port));
      }
    }
    if (!idle.empty()) out.push_back(idle_range(c, idle.front(), idle.size()));
  });
}

}  // namespace app_not_listening

const Check kAppNotListening{"app.not-listening", "nothing listens on the container's port",
                             "Rootful: connections are refused. Rootless: they are accepted by the port "
                             "forwarder and closed at once. The "
                             "published port leads to a container port that no program has open: a wrong "
                             "number after the colon of -p, or a "
                             "program that is not up yet or has failed. Proof: /proc/PID/net/tcp of the "
                             "container has no listener there.",
                             app_not_listening::check};

}  // namespace podshark::diagnose
