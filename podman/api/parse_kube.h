// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string_view>

#include "podman/api/limits.h"
#include "podman/api/parse.h"
#include "podman/core/result.h"
#include "podman/model/kube.h"

namespace podshark::api {

/// `kubectl get pods -o json`: one pod or a list of them. Pods whose names are none of Kubernetes' (DNS
/// labels and subdomains) are left out and counted into a note, so that the rest may be given to kubectl as
/// words. The ReplicaSet of a Deployment is the Deployment. Pure.
[[nodiscard]] Result<Parsed<model::KubePod>> parse_kube_pods(std::string_view text);

/// What Kubernetes allows in names of namespaces, pods and containers: lower-case letters, digits, '-' and
/// '.', at most 253, beginning and ending with a letter or digit.
[[nodiscard]] bool is_kube_name(std::string_view name);

}  // namespace podshark::api
