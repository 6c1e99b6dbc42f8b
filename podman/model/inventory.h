// SPDX-License-Identifier: GPL-2.0-or-later
// Plain data: what podman and the kernel told us about containers at one moment. No behaviour beyond
// look-ups. Every string may have been chosen by a stranger; clean with one_line() before showing it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace podshark::model {

/// One entry of `-p`: `range` consecutive ports starting at host_port and container_port.
struct PortMapping {
  std::string host_ip;  ///< empty: every address
  std::uint16_t host_port = 0;
  std::uint16_t container_port = 0;
  std::uint16_t range = 1;
  std::string protocol = "tcp";  ///< tcp, udp or sctp
  bool operator==(const PortMapping&) const = default;
};

/// A container's place in one podman network, or its uplink when the mode has no podman network.
struct Attachment {
  std::string network;                 ///< podman network name; empty for slirp4netns, pasta, none
  std::string interface;               ///< link name inside the netns; empty when unknown
  std::string mac;                     ///< lower-case, colons; empty when unknown
  std::vector<std::string> addresses;  ///< IPv4 and IPv6, with prefix length when known ("10.88.0.2/16")
  std::string gateway;
  bool operator==(const Attachment&) const = default;
};

/// How a container's network really is, which podman's own `NetworkMode` does not say.
enum class NetworkKind { unknown, none, host, bridge, macvlan, ipvlan, slirp4netns, pasta, shared, ns_path };

/// What Kubernetes, or the YAML of `podman kube play`, calls a container. All empty for others.
struct KubeName {
  std::string name_space;  ///< empty with `podman kube play`, which forgets it
  std::string pod;
  std::string container;  ///< empty for the one that holds the pod's network (infra)
  bool operator==(const KubeName&) const = default;
};

struct Container {
  std::string id;  ///< 64 hex digits (limited sources: what conmon's command line has)
  std::string name;
  std::string image;
  std::string image_id;
  std::string state;  ///< created, initialized, running, paused, stopping, stopped, exited, removing
  std::int64_t started_at = 0;  ///< Unix seconds, 0 never
  std::int64_t created_at = 0;
  pid_t pid = 0;                ///< first process, 0 when there is none
  std::uint64_t pid_start = 0;  ///< its start time in clock ticks since boot (proc_pid_stat(5), field 22)
  pid_t conmon_pid = 0;
  std::uint64_t netns = 0;  ///< inode number of its network namespace; 0 unknown. Recycled by the kernel.
  std::string netns_path;   ///< rootful: /run/netns/netns-UUID; else empty
  uid_t owner = 0;          ///< user whose podman runs it
  bool rootless = false;
  bool limited = false;  ///< seen only through conmon and /proc: no image, labels, ports, pod
  bool infra = false;
  std::string pod_id;
  std::string mode;  ///< podman's NetworkMode: bridge, host, none, slirp4netns, pasta, container:ID, ns:PATH
  NetworkKind kind = NetworkKind::unknown;
  std::string shares_with;  ///< id of the container whose netns this one uses (kind == shared)
  std::string systemd_unit;
  std::string compose_project;
  std::string compose_service;
  KubeName kubernetes;
  std::vector<Attachment> networks;
  std::vector<PortMapping> ports;
  std::map<std::string, std::string> labels;
  std::string error;         ///< why its last start failed (podman 5 and later)
  bool asks_ports = false;   ///< it was created with -p, whatever became of that
  std::string asks_address;  ///< --ip of its creation
  std::string host = {};     ///< machine it runs on, as the user calls it; empty: the inventory's own
  bool operator==(const Container&) const = default;

  /// Has processes and so a network namespace to enter (running, paused, initialized, stopping). Those of a
  /// Kubernetes cluster are on a machine of which nothing else is known.
  [[nodiscard]] bool alive() const {
    return pid > 0 || (!kubernetes.name_space.empty() && state == "running");
  }
  /// Not only the same name or id: it has not been started anew meanwhile.
  [[nodiscard]] bool same_process(const Container& o) const {
    return pid == o.pid && pid_start == o.pid_start;
  }
};

struct Pod {
  std::string id;
  std::string name;
  std::string state;
  std::string infra_id;
  std::vector<std::string> members;  ///< container ids, the infra container included
  std::string host = {};             ///< as of a container
  bool operator==(const Pod&) const = default;
};

struct Network {
  std::string id;
  std::string name;
  std::string driver;  ///< bridge, macvlan, ipvlan
  std::string bridge;  ///< bridge link, or parent of a macvlan
  std::vector<std::string> subnets;
  bool internal = false;
  bool dns = false;                   ///< names of its containers are resolved
  std::string isolate;                ///< option isolate: "true", "strict" or empty
  std::vector<std::string> gateways;  ///< of the subnets, in their order
  std::string host = {};              ///< as of a container
  bool no_default_route = false;      ///< option no_default_route
  bool unmanaged = false;  ///< option mode=unmanaged: bridge, gateway and firewall are not podman's
  bool operator==(const Network&) const = default;
};

/// Something discovery could not do; the inventory holds what is known in spite of it.
struct Problem {
  std::string source;  ///< "podman", "socket", "conmon"
  std::string what;    ///< one line: what failed and why
  std::string hint;    ///< what to do
  bool operator==(const Problem&) const = default;
};

struct Inventory {
  std::int64_t time_ns = 0;  ///< CLOCK_REALTIME when it was taken
  std::string host;          ///< host name
  std::vector<Container> containers;
  std::vector<Pod> pods;
  std::vector<Network> networks;
  std::vector<Problem> problems;
  /// When it was really taken, if time_ns is the time of the packets that it was given to; else 0.
  std::int64_t taken_ns = 0;

  [[nodiscard]] const Container* by_id(const std::string& id) const;
  [[nodiscard]] const Pod* pod_by_id(const std::string& id) const;
  /// True when both describe the same containers, pods and networks (time and problems aside).
  [[nodiscard]] bool same_state(const Inventory& other) const;
};

/// IPPROTO_TCP, _UDP or _SCTP for "tcp", "udp", "sctp" (PortMapping::protocol); else 0.
[[nodiscard]] std::uint8_t protocol_number(const std::string& name);
[[nodiscard]] const char* to_string(NetworkKind kind);
[[nodiscard]] NetworkKind network_kind(const std::string& text);

/// "8080→80/tcp", "127.0.0.1:8000-8009→8000-8009/udp".
[[nodiscard]] std::string to_string(const PortMapping& port);

}  // namespace podshark::model
