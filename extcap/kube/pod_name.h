// SPDX-License-Identifier: GPL-2.0-or-later
// Pods of Kubernetes clusters, as people name them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "podman/core/result.h"
#include "podman/model/kube.h"

namespace podshark::extcap::kube {

/// A cluster is a context of the user's kubeconfig; empty: the current one.
struct Cluster {
  std::string context;
  bool operator==(const Cluster&) const = default;
};

/// "kube://[CONTEXT@]NAMESPACE/…", which chooses pods of one namespace:
///   POD                 one, by name or glob(7)
///   POD/CONTAINER       and the container in which a capture tool is to run
///   KIND/NAME           those of a deployment, statefulset, daemonset, replicaset or job
///   label=KEY=VALUE     by labels, as kubectl's --selector takes them: label=app=web,tier!=db
/// The context may hold anything: the last '@' ends it.
struct PodName {
  Cluster cluster;
  std::string name_space;
  std::string pod;         ///< or a glob; empty with a kind or labels
  std::string container;   ///< empty: any
  std::string owner_kind;  ///< "deployment", …
  std::string owner;
  std::string selector;
  bool operator==(const PodName&) const = default;
};

[[nodiscard]] bool is_pod_name(std::string_view text);
/// ErrorKind::usage with the forms there are. What a word of kubectl's could mistake for an option is
/// refused.
[[nodiscard]] Result<PodName> parse_pod_name(const std::string& text);
/// "kube://store/shop", with the container if there is one.
[[nodiscard]] std::string to_string(const PodName& name);

/// Stands for more than one pod, or for whichever there are.
[[nodiscard]] bool names_several(const PodName& name);

/// Pods of one namespace that it means, its selector aside, which the API server has applied.
[[nodiscard]] std::vector<model::KubePod> chosen(const PodName& name,
                                                 const std::vector<model::KubePod>& pods);

}  // namespace podshark::extcap::kube
