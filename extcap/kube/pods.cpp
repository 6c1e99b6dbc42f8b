// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/kube/pods.h"

#include <algorithm>
#include <ostream>

#include "extcap/capture/filter.h"
#include "extcap/capture/host_ports.h"
#include "extcap/list_table.h"
#include "podman/core/text.h"

namespace podshark::extcap::kube {
namespace {

using model::Container;
using model::KubeContainer;
using model::KubePod;

// Our ids are hexadecimal digits; a pod's is a UUID.
std::string pod_id(const KubePod& pod) {
  std::string out;
  for (const char c : pod.uid) {
    if (c != '-') out += c;
  }
  return out.empty() ? hex(fnv1a(pod.name_space + "/" + pod.name), 16) : out.substr(0, 64);
}

Container holder_of(const KubePod& pod) {
  Container c;
  c.id = pod_id(pod);
  c.name = pod.name;
  c.state = pod.phase == "Running" ? "running" : "stopped";
  c.created_at = pod.created_at;
  c.infra = true;
  c.pod_id = c.id;
  if (pod.host_network) c.kind = model::NetworkKind::host;
  c.kubernetes = {pod.name_space, pod.name, {}};
  if (!pod.addresses.empty() && !pod.host_network) c.networks.push_back({{}, "eth0", {}, pod.addresses, {}});
  c.labels = pod.labels;
  return c;
}

Container container_of(const KubePod& pod, const KubeContainer& k) {
  Container c;
  c.id = k.id.empty() ? pod_id(pod) + hex(fnv1a(k.name), 16) : k.id;
  c.name = k.name;
  c.image = k.image;
  c.image_id = k.image_id;
  c.state = k.state == "running" ? "running" : k.state == "terminated" ? "exited" : "created";
  c.error = k.state == "running" ? "" : k.reason;
  c.started_at = k.started_at;
  c.created_at = pod.created_at;
  c.pod_id = pod_id(pod);
  c.shares_with = c.pod_id;
  c.kind = pod.host_network ? model::NetworkKind::host : model::NetworkKind::shared;
  c.kubernetes = {pod.name_space, pod.name, k.name};
  c.labels = pod.labels;
  for (const model::PortMapping& port : k.ports) {
    if (port.host_port != 0) c.ports.push_back(port);
  }
  return c;
}

std::string state_of(const KubePod& pod, const KubeContainer& c) {
  const std::string state = c.state.empty() ? pod.phase : c.state;
  const std::string reason = c.reason.empty() ? pod.reason : c.reason;
  return state + (state == "running" || reason.empty() ? "" : " (" + reason + ")") +
         (pod.deleting ? ", ending" : "");
}

std::string ports_of(const KubeContainer& c) {
  std::vector<std::string> out;
  for (const model::PortMapping& p : c.ports)
    out.push_back(p.host_port == 0 ? std::to_string(p.container_port) + "/" + p.protocol
                                   : model::to_string(p));
  return joined_cell(out);
}

}  // namespace

model::Inventory inventory_of(const std::vector<KubePod>& pods, const Cluster& cluster, bool all) {
  model::Inventory out;
  out.host = cluster.context;
  for (const KubePod& pod : pods) {
    if (!all && pod.phase != "Running") continue;
    model::Pod p{pod_id(pod), pod.name, pod.phase, pod_id(pod), {}};
    out.containers.push_back(holder_of(pod));
    p.members.push_back(p.id);
    for (const KubeContainer& c : pod.containers) {
      if (!all && c.state != "running") continue;
      out.containers.push_back(container_of(pod, c));
      p.members.push_back(out.containers.back().id);
    }
    out.pods.push_back(std::move(p));
  }
  return out;
}

Target target_of(const KubePod& pod, const KubeContainer& container) {
  Target target;
  target.value = "kube:" + pod.name_space + "/" + pod.name;
  target.container = container_of(pod, container);
  target.chosen = target.container;
  target.pod = pod.name;
  return target;
}

Result<std::string> node_filter(const KubePod& pod, const std::string& filter, bool all_host) {
  if (!pod.host_network) return filter;
  Container ports;
  for (const KubeContainer& k : pod.containers)
    ports.ports.insert(ports.ports.end(), k.ports.begin(), k.ports.end());
  // On the node they are the same (PodSpec: hostNetwork).
  for (model::PortMapping& port : ports.ports) port.host_port = port.container_port;
  const Result<HostLimit> limit = limit_to_ports(ports, {});
  if (limit && !all_host) return both_filters(limit->filter, filter);
  if (!trim(filter).empty()) return filter;
  return Error{ErrorKind::unsupported,
               "pod " + in_quotes(pod.name_space + "/" + pod.name) +
                   " uses its node's network, where the capture would capture its own traffic" +
                   (all_host ? "" : ", and declares no ports"),
               "say with -f what is wanted, for example -f 'port 8080'"};
}

void write_pods(std::ostream& out, const std::vector<KubePod>& pods, const Cluster& cluster, bool all) {
  const auto cut = [](const std::string& text) { return one_line(text, 60); };
  Table table(
      {"NAMESPACE", "POD", "CONTAINER", "IMAGE", "STATE", "NODE", "ADDRESSES", "PORTS", "OF", "TARGET"});
  for (const KubePod& pod : pods) {
    for (const KubeContainer& c : pod.containers) {
      const bool running = c.state == "running";
      if (!all && !running) continue;
      const PodName name{cluster, pod.name_space, pod.name, c.name, {}, {}, {}};
      table.add({pod.name_space, pod.name,
                 c.name + (c.kind == KubeContainer::Kind::ephemeral ? " (ephemeral)" : ""), cut(c.image),
                 cut(state_of(pod, c)), cut(pod.node),
                 pod.host_network ? "host network" : joined_cell(pod.addresses), ports_of(c),
                 pod.owner.empty() ? "" : cut(pod.owner_kind + "/" + pod.owner),
                 running ? to_string(name) : ""});
    }
  }
  if (table.empty()) {
    out << (all ? "No pods.\n" : "No running pods ('podshark list --kube --all' shows others).\n");
  } else {
    table.write(out);
  }
}

}  // namespace podshark::extcap::kube
