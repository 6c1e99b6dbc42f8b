// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/annotate/model_json.h"

namespace podshark::annotate {
namespace {

using model::Attachment;
using model::Container;
using model::Network;
using model::Pod;
using model::PortMapping;
using model::Problem;

PortMapping port_from(const json& j) {
  PortMapping p;
  get(j, "host_ip", p.host_ip);
  get_unsigned(j, "host_port", p.host_port);
  get_unsigned(j, "container_port", p.container_port);
  get_unsigned(j, "range", p.range);
  get(j, "protocol", p.protocol);
  return p;
}

Attachment attachment_from(const json& j) {
  Attachment a;
  get(j, "network", a.network);
  get(j, "interface", a.interface);
  get(j, "mac", a.mac);
  get(j, "addresses", a.addresses);
  get(j, "gateway", a.gateway);
  return a;
}

model::KubeName kube_name_from(const json& j) {
  model::KubeName k;
  get(j, "namespace", k.name_space);
  get(j, "pod", k.pod);
  get(j, "container", k.container);
  return k;
}

}  // namespace

Container container_from(const json& j) {
  Container c;
  get(j, "id", c.id);
  get(j, "name", c.name);
  get(j, "image", c.image);
  get(j, "image_id", c.image_id);
  get(j, "state", c.state);
  get(j, "created_at", c.created_at);
  get(j, "started_at", c.started_at);
  get_unsigned(j, "pid", c.pid);
  get_unsigned(j, "pid_start", c.pid_start);
  get_unsigned(j, "conmon_pid", c.conmon_pid);
  get_unsigned(j, "netns", c.netns);
  get(j, "netns_path", c.netns_path);
  get_unsigned(j, "owner", c.owner);
  get(j, "rootless", c.rootless);
  get(j, "limited", c.limited);
  get(j, "infra", c.infra);
  get(j, "pod_id", c.pod_id);
  get(j, "mode", c.mode);
  std::string kind;
  get(j, "kind", kind);
  c.kind = model::network_kind(kind);
  get(j, "shares_with", c.shares_with);
  get(j, "systemd_unit", c.systemd_unit);
  get(j, "compose_project", c.compose_project);
  get(j, "compose_service", c.compose_service);
  if (const auto it = j.find("kubernetes"); it != j.end()) c.kubernetes = kube_name_from(*it);
  list_from(j, "networks", c.networks, attachment_from);
  list_from(j, "ports", c.ports, port_from);
  get(j, "labels", c.labels);
  get(j, "error", c.error);
  get(j, "asks_ports", c.asks_ports);
  get(j, "asks_address", c.asks_address);
  get(j, "host", c.host);
  return c;
}

Pod pod_from(const json& j) {
  Pod p;
  get(j, "id", p.id);
  get(j, "name", p.name);
  get(j, "state", p.state);
  get(j, "infra_id", p.infra_id);
  get(j, "members", p.members);
  get(j, "host", p.host);
  return p;
}

Network network_from(const json& j) {
  Network n;
  get(j, "id", n.id);
  get(j, "name", n.name);
  get(j, "driver", n.driver);
  get(j, "bridge", n.bridge);
  get(j, "subnets", n.subnets);
  get(j, "internal", n.internal);
  get(j, "dns", n.dns);
  get(j, "isolate", n.isolate);
  get(j, "no_default_route", n.no_default_route);
  get(j, "unmanaged", n.unmanaged);
  get(j, "gateways", n.gateways);
  get(j, "host", n.host);
  return n;
}

Problem problem_from(const json& j) {
  Problem p;
  get(j, "source", p.source);
  get(j, "what", p.what);
  get(j, "hint", p.hint);
  return p;
}

}  // namespace podshark::annotate
