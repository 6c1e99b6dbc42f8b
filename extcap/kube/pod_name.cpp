// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/kube/pod_name.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>

#include "podman/api/parse_kube.h"
#include "podman/core/text.h"

namespace podshark::extcap::kube {
namespace {

constexpr std::string_view kScheme = "kube://";
constexpr std::string_view kLabel = "label=";
constexpr std::array<std::string_view, 5> kOwners{"deployment", "statefulset", "daemonset", "replicaset",
                                                  "job"};

bool is_owner(std::string_view word) {
  return std::find(kOwners.begin(), kOwners.end(), word) != kOwners.end();
}

bool is_glob(std::string_view text) {
  return text.find_first_of("*?[") != std::string_view::npos;
}

// What a name may be built of, and the glob's own characters.
bool is_pod_glob(std::string_view text) {
  return is_glob(text) && text.size() <= 253 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.*?[]!") == std::string_view::npos;
}

// label-selector syntax; kubectl judges the rest. No option begins like that.
bool is_selector(std::string_view text) {
  constexpr std::string_view kMarks = "-_./=!,() ";
  return !text.empty() && text.size() <= 1024 && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  kMarks.find(c) != std::string_view::npos;
         });
}

Error wrong(const std::string& text) {
  return {
      ErrorKind::usage, in_quotes(text) + " is not kube://[CONTEXT@]NAMESPACE/POD[/CONTAINER]",
      "also kube://NAMESPACE/deployment/NAME and kube://NAMESPACE/label=KEY=VALUE; 'podshark list --kube' "
      "shows what there is"};
}

}  // namespace

bool is_pod_name(std::string_view text) {
  return text.starts_with(kScheme);
}

Result<PodName> parse_pod_name(const std::string& text) {
  if (!is_pod_name(text)) return wrong(text);
  PodName out;
  std::string rest = text.substr(kScheme.size());
  if (const std::size_t at = rest.rfind('@'); at != std::string::npos) {
    out.cluster.context = rest.substr(0, at);
    rest.erase(0, at + 1);
    if (out.cluster.context.empty() || one_line(out.cluster.context, 1024) != out.cluster.context)
      return wrong(text);
  }
  const std::size_t slash = rest.find('/');
  if (slash == std::string::npos) return wrong(text);
  out.name_space = rest.substr(0, slash);
  rest.erase(0, slash + 1);
  if (!api::is_kube_name(out.name_space)) return wrong(text);
  if (rest.starts_with(kLabel)) {
    out.selector = rest.substr(kLabel.size());
    return is_selector(out.selector) ? Result<PodName>(out) : wrong(text);
  }
  const std::vector<std::string> parts = split(rest, '/');
  if (parts.size() == 2 && is_owner(parts[0])) {
    out.owner_kind = parts[0];
    out.owner = parts[1];
    return api::is_kube_name(out.owner) ? Result<PodName>(out) : wrong(text);
  }
  if (parts.empty() || parts.size() > 2 || (!api::is_kube_name(parts[0]) && !is_pod_glob(parts[0])))
    return wrong(text);
  out.pod = parts[0];
  if (parts.size() == 2) out.container = parts[1];
  if (parts.size() == 2 && !api::is_kube_name(out.container)) return wrong(text);
  return out;
}

std::string to_string(const PodName& n) {
  std::string out = std::string(kScheme) + (n.cluster.context.empty() ? "" : n.cluster.context + "@");
  out += n.name_space + "/";
  if (!n.selector.empty()) return out + std::string(kLabel) + n.selector;
  if (!n.owner.empty()) return out + n.owner_kind + "/" + n.owner;
  return out + n.pod + (n.container.empty() ? "" : "/" + n.container);
}

bool names_several(const PodName& name) {
  return name.pod.empty() || is_glob(name.pod);
}

std::vector<model::KubePod> chosen(const PodName& name, const std::vector<model::KubePod>& pods) {
  std::vector<model::KubePod> out;
  for (const model::KubePod& pod : pods) {
    if (pod.name_space != name.name_space) continue;
    const bool fits = !name.selector.empty() ||
                      (!name.owner.empty() && pod.owner == name.owner && pod.owner_kind == name.owner_kind) ||
                      (!name.pod.empty() && ::fnmatch(name.pod.c_str(), pod.name.c_str(), 0) == 0);
    if (fits) out.push_back(pod);
  }
  return out;
}

}  // namespace podshark::extcap::kube
