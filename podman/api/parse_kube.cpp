// SPDX-License-Identifier: GPL-2.0-or-later
// Kubernetes' Pod of API version v1: its `spec` is what was asked for, `status` what became of it. A status
// lacks the containers that no kubelet has seen yet; those come from the spec.
#include "podman/api/parse_kube.h"

#include <algorithm>
#include <array>

#include "podman/api/json_model.h"
#include "podman/api/json_read.h"

namespace podshark::api {
namespace {

using model::KubeContainer;
using model::KubePod;
using Kind = KubeContainer::Kind;

struct Family {
  Kind kind;
  const char* spec;
  const char* status;
};
constexpr std::array<Family, 3> kFamilies{
    {{Kind::init, "initContainers", "initContainerStatuses"},
     {Kind::main, "containers", "containerStatuses"},
     {Kind::ephemeral, "ephemeralContainers", "ephemeralContainerStatuses"}}};

std::string lower_case(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return word;
}

// "containerd://HEX", "cri-o://HEX", "docker://HEX"
std::string runtime_id(const std::string& text) {
  const std::size_t slashes = text.find("://");
  return slashes == std::string::npos ? std::string() : id_text(json(text.substr(slashes + 3)));
}

std::vector<model::PortMapping> declared_ports(const json& list) {
  std::vector<model::PortMapping> out;
  for (const json& j : list) {
    if (out.size() == kMaxPorts) break;
    model::PortMapping port;
    port.host_ip = text(j, "hostIP");
    port.host_port = static_cast<std::uint16_t>(number(member(j, "hostPort"), 65535));
    port.container_port = static_cast<std::uint16_t>(number(member(j, "containerPort"), 65535));
    const std::string protocol = lower_case(text(j, "protocol"));
    if (!protocol.empty()) port.protocol = protocol;
    if (port.container_port != 0) out.push_back(std::move(port));
  }
  return out;
}

void read_status(const json& status, KubeContainer& c) {
  for (const char* name : {"running", "waiting", "terminated"}) {
    const json& state = member(member(status, "state"), name);
    if (!state.is_object()) continue;
    c.state = name;
    c.reason = text(state, "reason");
    c.started_at = unix_time(member(state, "startedAt"));
  }
  c.id = runtime_id(text(status, "containerID", kMaxText));
  c.image_id = text(status, "imageID", kMaxText);
}

void add_containers(const json& pod, const Family& family, KubePod& out) {
  const json& statuses = children(member(pod, "status"), family.status);
  for (const json& j : children(member(pod, "spec"), family.spec)) {
    if (out.containers.size() == kMaxKubeContainers) return;
    KubeContainer c;
    c.name = text(j, "name");
    if (!is_kube_name(c.name)) continue;
    c.kind = family.kind;
    c.image = text(j, "image", kMaxText);
    c.ports = declared_ports(children(j, "ports"));
    for (const json& status : statuses) {
      if (text(status, "name") == c.name) read_status(status, c);
    }
    out.containers.push_back(std::move(c));
  }
}

void add_pod_address(KubePod& pod, const std::string& address) {
  if (address.empty() || pod.addresses.size() == kMaxAddresses) return;
  if (std::find(pod.addresses.begin(), pod.addresses.end(), address) == pod.addresses.end())
    pod.addresses.push_back(address);
}

// A Deployment's ReplicaSet is called DEPLOYMENT-HASH, and its pods have the hash as a label.
void read_owner(const json& meta, KubePod& pod) {
  for (const json& j : children(meta, "ownerReferences")) {
    if (!flag(j, "controller")) continue;
    pod.owner = text(j, "name");
    pod.owner_kind = lower_case(text(j, "kind"));
    const auto hash = pod.labels.find("pod-template-hash");
    if (pod.owner_kind != "replicaset" || hash == pod.labels.end()) return;
    const std::string tail = "-" + hash->second;
    if (!pod.owner.ends_with(tail) || pod.owner.size() == tail.size()) return;
    pod.owner.resize(pod.owner.size() - tail.size());
    pod.owner_kind = "deployment";
    return;
  }
}

void read_pod_labels(const json& labels, KubePod& pod) {
  if (!labels.is_object()) return;
  for (const auto& [key, value] : labels.items()) {
    if (pod.labels.size() == kMaxLabels) return;
    if (value.is_string() && key.size() <= 2 * kMaxName) pod.labels[key] = text(value);
  }
}

KubePod kube_pod(const json& j) {
  KubePod pod;
  const json& meta = member(j, "metadata");
  const json& spec = member(j, "spec");
  const json& status = member(j, "status");
  pod.name_space = text(meta, "namespace");
  pod.name = text(meta, "name");
  pod.uid = text(meta, "uid");
  pod.created_at = unix_time(member(meta, "creationTimestamp"));
  pod.deleting = member(meta, "deletionTimestamp").is_string();
  read_pod_labels(member(meta, "labels"), pod);
  read_owner(meta, pod);
  pod.node = text(spec, "nodeName");
  pod.host_network = flag(spec, "hostNetwork");
  pod.phase = text(status, "phase");
  pod.reason = text(status, "reason");
  for (const json& condition : children(status, "conditions")) {
    if (pod.reason.empty() && text(condition, "type") == "PodScheduled" &&
        text(condition, "status") == "False")
      pod.reason = text(condition, "reason");
  }
  add_pod_address(pod, text(status, "podIP"));
  for (const json& address : children(status, "podIPs")) add_pod_address(pod, text(address, "ip"));
  for (const Family& family : kFamilies) add_containers(j, family, pod);
  return pod;
}

Error of_kubectl(const Error& error) {
  return {error.kind, error.what, "does 'kubectl get pods -o json' work in a terminal?"};
}

}  // namespace

bool is_kube_name(std::string_view name) {
  const auto edge = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= 253 && edge(name.front()) && edge(name.back()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return edge(c) || c == '-' || c == '.'; });
}

Result<Parsed<KubePod>> parse_kube_pods(std::string_view text) {
  const std::string what = "kubectl get pods";
  Result<json> answer = parse_list(text, what, kMaxKubeBytes);
  if (!answer) return of_kubectl(answer.error());
  const json& first = answer->empty() ? *answer : answer->front();
  const bool list = api::text(first, "kind").ends_with("List");
  return take_items<KubePod>(
      list ? children(first, "items") : *answer, what, kMaxPods, "pods", kube_pod,
      [](const KubePod& pod) { return is_kube_name(pod.name) && is_kube_name(pod.name_space); });
}

}  // namespace podshark::api
