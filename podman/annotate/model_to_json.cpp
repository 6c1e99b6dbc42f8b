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

json to_json(const PortMapping& p) {
  json j = json::object();
  put(j, "host_ip", p.host_ip);
  j["host_port"] = p.host_port;
  j["container_port"] = p.container_port;
  j["range"] = p.range;
  j["protocol"] = p.protocol;
  return j;
}

json to_json(const Attachment& a) {
  json j = json::object();
  put(j, "network", a.network);
  put(j, "interface", a.interface);
  put(j, "mac", a.mac);
  put_list(j, "addresses", a.addresses);
  put(j, "gateway", a.gateway);
  return j;
}

json to_json(const model::KubeName& k) {
  json j = json::object();
  put(j, "namespace", k.name_space);
  put(j, "pod", k.pod);
  put(j, "container", k.container);
  return j;
}

}  // namespace

json to_json(const Container& c) {
  json j = json::object();
  put(j, "id", c.id);
  put(j, "name", c.name);
  put(j, "image", c.image);
  put(j, "image_id", c.image_id);
  put(j, "state", c.state);
  put_number(j, "created_at", c.created_at);
  put_number(j, "started_at", c.started_at);
  put_number(j, "pid", std::int64_t{c.pid});
  put_number(j, "pid_start", c.pid_start);
  put_number(j, "conmon_pid", std::int64_t{c.conmon_pid});
  put_number(j, "netns", c.netns);
  put(j, "netns_path", c.netns_path);
  put_number(j, "owner", std::uint64_t{c.owner});
  put_flag(j, "rootless", c.rootless);
  put_flag(j, "limited", c.limited);
  put_flag(j, "infra", c.infra);
  put(j, "pod_id", c.pod_id);
  put(j, "mode", c.mode);
  j["kind"] = model::to_string(c.kind);
  put(j, "shares_with", c.shares_with);
  put(j, "systemd_unit", c.systemd_unit);
  put(j, "compose_project", c.compose_project);
  put(j, "compose_service", c.compose_service);
  if (!c.kubernetes.pod.empty()) j["kubernetes"] = to_json(c.kubernetes);
  for (const Attachment& a : c.networks) j["networks"].push_back(to_json(a));
  for (const PortMapping& p : c.ports) j["ports"].push_back(to_json(p));
  if (!c.labels.empty()) j["labels"] = c.labels;
  put(j, "error", c.error);
  put_flag(j, "asks_ports", c.asks_ports);
  put(j, "asks_address", c.asks_address);
  put(j, "host", c.host);
  return j;
}

json to_json(const Pod& p) {
  json j = json::object();
  put(j, "id", p.id);
  put(j, "name", p.name);
  put(j, "state", p.state);
  put(j, "infra_id", p.infra_id);
  put_list(j, "members", p.members);
  put(j, "host", p.host);
  return j;
}

json to_json(const Network& n) {
  json j = json::object();
  put(j, "id", n.id);
  put(j, "name", n.name);
  put(j, "driver", n.driver);
  put(j, "bridge", n.bridge);
  put_list(j, "subnets", n.subnets);
  put_flag(j, "internal", n.internal);
  put_flag(j, "dns", n.dns);
  put(j, "isolate", n.isolate);
  put_flag(j, "no_default_route", n.no_default_route);
  put_flag(j, "unmanaged", n.unmanaged);
  put_list(j, "gateways", n.gateways);
  put(j, "host", n.host);
  return j;
}

json to_json(const Problem& p) {
  json j = json::object();
  put(j, "source", p.source);
  put(j, "what", p.what);
  put(j, "hint", p.hint);
  return j;
}

}  // namespace podshark::annotate
