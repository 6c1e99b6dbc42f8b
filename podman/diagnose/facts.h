// SPDX-License-Identifier: GPL-2.0-or-later
// Everything that `podshark check` judges, collected once. Plain data: the checks are pure functions of it.
// Whatever could not be read is absent, and told in `unseen`; a check never takes absence for health.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "podman/firewall/ruleset.h"
#include "podman/model/connection.h"
#include "podman/model/inventory.h"
#include "podman/model/link.h"
#include "podman/model/net_state.h"

namespace podshark::diagnose {

/// Something that could not be looked at, and what would make it visible.
struct Unseen {
  std::string what;  ///< "firewall rules of the host"
  std::string why;
  std::string hint;
  bool operator==(const Unseen&) const = default;
};

/// One network namespace.
struct Netns {
  bool visible = false;  ///< links, routes and neighbours below are what it has
  std::vector<model::Link> links;
  model::NetState state;
  bool listeners_known = false;
  std::vector<model::Listener> listeners;
  std::optional<firewall::Ruleset> firewall;  ///< every table of every tool; nothing when it may not be read
  std::map<std::string, std::string>
      sysctls;  ///< those of /proc/sys/net that were asked for and could be read
  std::map<std::string, std::uint64_t>
      counters;  ///< names of /proc/PID/net/{snmp,netstat}: "IPReversePathFilter"
  std::optional<std::vector<model::Conntrack>> conntrack;
  std::optional<std::vector<model::TcpState>> tcp;

  [[nodiscard]] const model::Link* link(int ifindex) const;
  [[nodiscard]] const model::Link* link(const std::string& name) const;
  [[nodiscard]] const model::LinkSettings* settings(int ifindex) const;
  [[nodiscard]] std::optional<std::int64_t> sysctl(const std::string& name) const;  ///< "net.ipv4.ip_forward"
};

/// The program that carries a rootless container's packets or ports.
struct Helper {
  enum class Kind : std::uint8_t { pasta, slirp4netns, rootlessport };
  Kind kind = Kind::pasta;
  pid_t pid = 0;
  std::vector<std::string> argv;
};

/// Where the bridge of a container is.
enum class Place : std::uint8_t { host, rootless };

struct ContainerFacts {
  const model::Container* container = nullptr;  ///< in Facts::inventory
  std::string pod;                              ///< name of its pod
  bool claims_to_run = false;                   ///< podman calls it running
  bool restart_failed = false;                  ///< of podman's events no "start" followed the last "restart"
  Netns net;
  std::vector<model::Link> veths;  ///< the host's ends of its links, in the namespace of `place`
  Place place = Place::host;
  std::vector<model::RouteAnswer> host_routes;  ///< from there to each of its addresses
  std::vector<std::string> nameservers;         ///< of its resolv.conf
  bool resolv_known = false;
  std::optional<std::uint64_t> capabilities;  ///< CapEff of its first process
  std::vector<Helper> helpers;

  [[nodiscard]] bool bridged() const;  ///< kind bridge, with a process
  [[nodiscard]] std::string name() const;
  /// "container web"; for an infra container "pod shop", since that is what people know.
  [[nodiscard]] std::string subject() const;
};

/// What netavark meant to set up (/run/containers/networks/firewall, netavark 1.9 and later).
struct IntendedPort {
  std::string container_id;
  model::PortMapping port;
};

struct Intended {
  std::string driver;  ///< nftables, iptables, firewalld, none
  std::vector<IntendedPort> ports;
};

/// aardvark-dns of the caller's podman.
struct NameServer {
  pid_t pid = 0;       ///< of its pid file
  bool alive = false;  ///< that process is aardvark-dns
};

struct Firewalld {
  bool running = false;
  std::optional<std::vector<std::string>> trusted_sources;  ///< zone trusted, now
  bool strict_forward_ports = false;
};

/// The uplink of the rootless networks.
struct RootlessUplink {
  pid_t pid = 0;        ///< of its pid file; 0: there is none
  std::string program;  ///< pasta or slirp4netns
};

/// Answer of one resolver to one question, asked for this report.
struct ResolverTrial {
  std::string server;
  Place place = Place::host;  ///< where it was asked from
  bool answered = false;
  std::string why;
};

/// What the user wants to know: can `from` reach `target`?
struct Question {
  std::string from;                   ///< container id; "host"; empty: anybody
  std::string target;                 ///< container id; empty: everything
  std::optional<IpAddress> address;   ///< when an address was asked for, also that of the host by "host:PORT"
  std::optional<std::uint16_t> port;  ///< as asked: the container's or the host's
  bool published = false;             ///< target's port as the host publishes it: translated, then routed
  std::string protocol = "tcp";
  [[nodiscard]] bool asked() const { return !target.empty() || !from.empty() || address.has_value(); }
};

struct Facts {
  model::Inventory inventory;
  uid_t caller = 0;
  Netns host;
  Netns rootless;  ///< the namespace of the rootless networks; `visible` false when there is none
  std::vector<ContainerFacts>
      containers;  ///< the running and the claimed ones, and those that failed to start
  Intended intended;
  NameServer resolver;  ///< of the caller's podman
  Firewalld firewalld;
  RootlessUplink uplink;
  std::vector<ResolverTrial> trials;
  std::string podman_version;
  std::vector<std::string> security_log;  ///< lines of the audit log that name podman's programs
  std::uint64_t conntrack_count = 0, conntrack_max = 0;  ///< 0: not known
  Question question;
  std::vector<Unseen> unseen;

  [[nodiscard]] const Netns& where(Place place) const { return place == Place::host ? host : rootless; }
  [[nodiscard]] const ContainerFacts* by_id(const std::string& id) const;
  [[nodiscard]] const model::Network* network(const std::string& name) const;
};

}  // namespace podshark::diagnose
