// SPDX-License-Identifier: GPL-2.0-or-later
// What the checks share.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "podman/diagnose/facts.h"
#include "podman/diagnose/finding.h"

namespace podshark::diagnose {

/// One published port; ranges are taken apart, at most kMaxPublished per container.
struct Published {
  std::string host_ip;  ///< empty: every address
  std::uint16_t host_port = 0;
  std::uint16_t container_port = 0;
  bool udp = false;
  bool of_range = false;  ///< one of several that were published together
  [[nodiscard]] const char* protocol() const { return udp ? "udp" : "tcp"; }
  [[nodiscard]] std::string text() const;  ///< "tcp 8080→80"
};
inline constexpr std::size_t kMaxPublished = 2048;
/// TCP and UDP ones.
[[nodiscard]] std::vector<Published> published(const model::Container& container);

/// The question is about this container (or about everything): it is the target, shares the target's
/// namespace, or is where the question comes from.
[[nodiscard]] bool in_scope(const Facts& facts, const ContainerFacts& container);
/// The question names it, or one that shares its namespace, as its target.
[[nodiscard]] bool is_target(const Facts& facts, const ContainerFacts& container);
[[nodiscard]] bool is_source(const Facts& facts, const ContainerFacts& container);
[[nodiscard]] const ContainerFacts* source_of(const Facts& facts);  ///< nullptr: the host, or anybody
[[nodiscard]] const ContainerFacts* target_of(const Facts& facts);

/// Its network namespace belongs to another container that is known too: what can be said of it, is said
/// there.
[[nodiscard]] bool shares(const Facts& facts, const ContainerFacts& container);

/// The question comes from the host or beyond, or says nothing of where it comes from.
[[nodiscard]] bool asks_from_outside(const Facts& facts, const ContainerFacts& target);
/// It asks a container's way to an address that is no container's.
[[nodiscard]] bool asks_outward(const Facts& facts);

/// Its IPv4 default route in the main table: those of other tables are for chosen packets alone, as a VPN's.
[[nodiscard]] const model::Route* default_route(const Netns& netns);
/// One of the addresses of the namespace's own links.
[[nodiscard]] bool own_address(const Netns& netns, const IpAddress& address);
/// One of the container's in podman's networks.
[[nodiscard]] bool has_address(const ContainerFacts& container, const IpAddress& address);
/// podman has given it an address of IPv4, or of IPv6.
[[nodiscard]] bool has_family(const ContainerFacts& container, bool v4);
/// The one address that a port is published on; nothing where that is every address.
[[nodiscard]] std::optional<IpAddress> one_address(const Published& port);

/// It asks for one of the host's addresses and a port that this container publishes.
[[nodiscard]] bool asks_own_port(const Facts& facts, const ContainerFacts& container);

/// Calls `visit` for each container in scope that has a process and its own or shared namespace.
void each_running(const Facts& facts, const std::function<void(const ContainerFacts&)>& visit);
/// Only those on bridges, each namespace once: of a pod its infra container.
void each_bridged(const Facts& facts, const std::function<void(const ContainerFacts&)>& visit);
/// Containers in scope that have no process and did not simply end: created, or failed at their start or
/// restart.
void each_not_started(const Facts& facts, const std::function<void(const ContainerFacts&)>& visit);

/// "podman", or "sudo podman" for a rootful container seen by a user.
[[nodiscard]] std::string podman(const Facts& facts, const ContainerFacts& container);
[[nodiscard]] std::string sudo(const Facts& facts);  ///< "" or "sudo "
/// How to set it in the namespace that the container's bridge is in, now and, on the host, for good.
[[nodiscard]] std::vector<std::string> set_sysctl(const Facts& facts, Place place, const std::string& key,
                                                  int value);
[[nodiscard]] std::string reload(const Facts& facts, const ContainerFacts& container);
/// How to restart it, through systemd when that owns it.
[[nodiscard]] std::string restart(const Facts& facts, const ContainerFacts& container);

/// Its networks that are bridges, with the bridge's link where it can be seen.
struct Leg {
  const model::Attachment* attachment = nullptr;
  const model::Network* network = nullptr;  ///< nullptr when podman did not tell
  const model::Link* bridge = nullptr;
  [[nodiscard]] bool internal() const { return network != nullptr && network->internal; }
  /// Somebody else made the bridge: no routing, translation or firewall rules by podman.
  [[nodiscard]] bool unmanaged() const { return network != nullptr && network->unmanaged; }
  /// The host routes between it and the outside.
  [[nodiscard]] bool routed() const { return !internal() && !unmanaged(); }
};
[[nodiscard]] std::vector<Leg> legs(const Facts& facts, const ContainerFacts& container);

/// All its networks are internal ones.
[[nodiscard]] bool only_internal(const Facts& facts, const ContainerFacts& container);

/// First IPv4 address that podman tells of it.
[[nodiscard]] std::optional<IpAddress> first_address(const ContainerFacts& container);
/// First IPv4 address of its bridge networks that are not internal, else of any; nothing without.
[[nodiscard]] std::optional<IpAddress> address_of(const Facts& facts, const ContainerFacts& container);

/// A TCP listener or UDP socket in `netns` that a packet to `address`:`port` reaches (nothing: any address
/// but loopback).
[[nodiscard]] const model::Listener* listener(const Netns& netns, std::uint16_t port, bool udp,
                                              const std::optional<IpAddress>& address = std::nullopt);

/// One that only the namespace itself reaches.
[[nodiscard]] const model::Listener* loopback_listener(const Netns& netns, std::uint16_t port, bool udp);
/// Whoever holds a published port on the host.
[[nodiscard]] const model::Listener* host_listener(const Facts& facts, const Published& port);

/// The container ports on which somebody ought to listen: the published ones of its namespace, and the one
/// that the question names. Empty for one that shares its namespace, and where the mode ignores published
/// ports.
[[nodiscard]] std::vector<Published> expected_ports(const Facts& facts, const ContainerFacts& container);

/// Who answers name queries to this address; nullptr: nobody. aardvark-dns may have another port than 53
/// (dns_bind_port of containers.conf(5)), to which rules lead.
[[nodiscard]] const model::Listener* name_server(const Netns& netns, const IpAddress& address);
/// A UDP socket on every address's port 53 that is not aardvark-dns'.
[[nodiscard]] const model::Listener* foreign_dns(const Facts& facts, Place place);
/// Its resolv.conf names the gateway of one of its networks, or can not be read.
[[nodiscard]] bool resolver_of(const Facts& facts, const ContainerFacts& container);

/// "httpd (pid 812)", or "an unknown program" where owners can not be seen.
[[nodiscard]] std::string owner_text(const model::Listener& listener);

/// Its start error holds one of these, regardless of case; empty otherwise: the whole line.
[[nodiscard]] std::string start_error(const ContainerFacts& container,
                                      const std::vector<std::string>& fragments);

/// A finding for each container of each_not_started() whose start error holds one of `words`, with that error
/// as its evidence.
void judge_start_error(const Facts& facts, const std::vector<std::string>& words, const Finding& told,
                       Findings& out);

}  // namespace podshark::diagnose
