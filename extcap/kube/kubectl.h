// SPDX-License-Identifier: GPL-2.0-or-later
// kubectl(1), which knows kubeconfig files, credential plugins and the protocols of exec. The words are pure.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "extcap/kube/pod_name.h"
#include "podman/core/result.h"

namespace podshark::extcap::kube {

/// kubectl of that cluster with these words.
[[nodiscard]] std::vector<std::string> kubectl_words(const Cluster& cluster,
                                                     const std::vector<std::string>& words);
/// "the cluster", "cluster 'staging'", for sentences.
[[nodiscard]] std::string words_for(const Cluster& cluster);

/// What kubectl's words on stderr mean, in one line of ours: what it is not allowed to do by verb and
/// resource, an unreachable cluster, an unknown context, a pod or container that is not there or not running.
[[nodiscard]] Error kubectl_error(const Cluster& cluster, const std::string& said);

/// There is none on this machine.
[[nodiscard]] Error no_kubectl();

/// Runs it to its end; its stdout.
[[nodiscard]] Result<std::string> kubectl(const Cluster& cluster, const std::vector<std::string>& words,
                                          std::chrono::milliseconds limit);

/// Pods of `name_space` (empty: the context's own; "all": of all that may be listed) that fit a label
/// selector (empty: all).
struct Pods {
  std::vector<model::KubePod> pods;
  std::vector<std::string> notes;  ///< what was left out
};
[[nodiscard]] Result<Pods> list_pods(const Cluster& cluster, const std::string& name_space,
                                     const std::string& selector);

/// One pod.
[[nodiscard]] Result<Pods> get_pod(const Cluster& cluster, const std::string& name_space,
                                   const std::string& name);

}  // namespace podshark::extcap::kube
