// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/kube/kubectl.h"

#include <algorithm>

#include "extcap/remote/line.h"
#include "podman/api/parse_kube.h"
#include "podman/core/process.h"
#include "podman/core/text.h"

namespace podshark::extcap::kube {
namespace {

constexpr std::chrono::seconds kListLimit{20};

bool holds(const std::string& text, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](const char* w) { return text.find(w) != std::string::npos; });
}

// What stands in double quotes behind `before`; empty when nothing does.
std::string quoted_after(const std::string& text, const std::string& before) {
  const std::size_t at = text.find(before + "\"");
  if (at == std::string::npos) return {};
  const std::size_t from = at + before.size() + 1;
  const std::size_t end = text.find('"', from);
  return end == std::string::npos ? std::string() : one_line(text.substr(from, end - from), 200);
}

std::string word_between(const std::string& text, const std::string& before, const std::string& after) {
  const std::size_t at = text.find(before);
  if (at == std::string::npos) return {};
  const std::size_t from = at + before.size();
  const std::size_t end = text.find(after, from);
  return end == std::string::npos ? std::string() : one_line(text.substr(from, end - from), 40);
}

// An exec through a websocket counts as get, through SPDY as create; which one is kubectl's choice.
std::string verbs_for(const std::string& verb, const std::string& resource) {
  if (resource == "pods/exec" || resource == "pods/attach" || resource == "pods/portforward")
    return "get,create";
  if (resource == "pods" && (verb == "create" || verb == "delete")) return "create,get,delete";
  if (resource == "pods") return verb == "list" || verb == "get" ? "get,list" : verb;
  return verb;
}

// For an administrator of the cluster. A role holds for one namespace only; each need has a name of its own,
// because `create` does not change a role that is there.
std::string grant(const std::string& verbs, const std::string& resource, const std::string& name_space,
                  const std::string& user) {
  std::string name = "podshark";
  if (const std::size_t slash = resource.find('/'); slash != std::string::npos)
    name += "-" + resource.substr(slash + 1);
  if (resource == "pods" && verbs == "create,get,delete") name += "-node-pod";
  const auto quoted = [](const std::string& word) {
    const auto plain = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("-_.:@/,=").find(c) != std::string_view::npos;
    };
    return std::all_of(word.begin(), word.end(), plain) ? word : remote::shell_word(word);
  };
  const std::string kind = name_space.empty() ? "clusterrole" : "role";
  const std::string where = name_space.empty() ? "" : " -n " + quoted(name_space);
  return "kubectl create " + kind + " " + quoted(name) + " --verb=" + quoted(verbs) +
         " --resource=" + quoted(resource) + where + " && kubectl create " + kind + "binding " +
         quoted(name) + " --" + kind + "=" + quoted(name) +
         " --user=" + (user.empty() ? "USER" : quoted(user)) + where;
}

// … User "u" cannot create resource "pods/exec" in API group "" in the namespace "store"
Error forbidden(const Cluster& cluster, const std::string& said) {
  // PodSecurity; the policies before Kubernetes 1.25; --allow-privileged=false.
  if (holds(said, {"violates PodSecurity", "pod security policy", "disallowed by cluster policy"}))
    return {ErrorKind::permission,
            words_for(cluster) + ": no privileged pod is allowed there (" + last_line(said, 300) + ")",
            "--node-namespace NAME makes it in another one, whose PodSecurity level is privileged"};
  const std::string user = quoted_after(said, "User ");
  const std::string verb = word_between(said, " cannot ", " resource ");
  const std::string resource = quoted_after(said, " resource ");
  const std::string name_space = quoted_after(said, " in the namespace ");
  if (verb.empty() || resource.empty())
    return {ErrorKind::permission, words_for(cluster) + ": " + last_line(said, 300), {}};
  const std::string verbs = verbs_for(verb, resource);
  const std::string plain = verbs == "get,create"          ? "get and create"
                            : verbs == "get,list"          ? "get and list"
                            : verbs == "create,get,delete" ? "create, get and delete"
                                                           : verbs;
  const std::string where =
      name_space.empty() ? "in all namespaces" : "in namespace " + in_quotes(name_space);
  return {ErrorKind::permission,
          words_for(cluster) + ": " + (user.empty() ? "you" : "user " + in_quotes(user)) + " may not " +
              verb + " " + resource + " " + where,
          "needed is " + plain + " on " + resource + " there: " + grant(verbs, resource, name_space, user)};
}

// Warnings and what kubectl says of the command's end are none.
std::string complaint_of(const std::string& said) {
  std::string last;
  for (const std::string& line : split(said, '\n')) {
    const std::string_view text = trim(line);
    const bool chatter = text.empty() || text.starts_with("Warning: ") ||
                         text.starts_with("Defaulted container ") ||
                         text.starts_with("command terminated with exit code");
    if (chatter) continue;
    last = one_line(text, 300);
    if (text.starts_with("Error from server") || text.starts_with("error: ")) break;
  }
  return last;
}

Error of_pod(const std::string& where, const std::string& line) {
  if (holds(line, {"completed pod", "current phase is"}))
    return {ErrorKind::not_running, where + "the pod has ended (" + line + ")",
            "'podshark list --kube' shows which run"};
  if (holds(line, {"does not have a host assigned", "is waiting to start", "container not found",
                   "pod is not running", "PodInitializing"}))
    return {ErrorKind::not_running, where + "the container does not run (" + line + ")",
            "kubectl describe pod tells why"};
  if (holds(line, {"is not valid for pod"}))
    return {ErrorKind::not_found, where + "no such container (" + line + ")",
            "'podshark list --kube' shows them"};
  if (holds(line, {"(NotFound)"}))
    return {ErrorKind::not_found, where + line, "'podshark list --kube --namespace all' shows what there is"};
  return {ErrorKind::internal, where + line, {}};
}

}  // namespace

std::vector<std::string> kubectl_words(const Cluster& cluster, const std::vector<std::string>& words) {
  std::vector<std::string> out{"kubectl"};
  if (!cluster.context.empty()) out.push_back("--context=" + cluster.context);
  out.insert(out.end(), words.begin(), words.end());
  return out;
}

std::string words_for(const Cluster& cluster) {
  return cluster.context.empty() ? "the cluster" : "cluster " + in_quotes(cluster.context);
}

Error kubectl_error(const Cluster& cluster, const std::string& said) {
  const std::string line = complaint_of(said);
  const std::string where = words_for(cluster) + ": ";
  if (holds(line, {"is forbidden", "(Forbidden)", "disallowed by cluster policy"}))
    return forbidden(cluster, line);
  if (holds(line, {"context was not found", "\" does not exist"}) && holds(line, {"context"}))
    return {ErrorKind::usage, where + "kubectl knows no such context",
            "'kubectl config get-contexts' shows them"};
  if (holds(line, {"must be logged in", "(Unauthorized)", "provide credentials", "getting credentials"}))
    return {ErrorKind::permission, where + "the credentials are not accepted (" + line + ")",
            "try 'kubectl get pods' in a terminal"};
  if (holds(line, {"was refused - did you", "Unable to connect to the server", "connection refused",
                   "i/o timeout", "no such host", "TLS handshake", "no route to host", "deadline exceeded",
                   "no configuration has been provided"}))
    return {ErrorKind::unreachable, where + "its API server is not reachable (" + line + ")",
            "KUBECONFIG and --context choose the cluster; try 'kubectl get pods' in a terminal"};
  if (line.empty()) return {ErrorKind::internal, where + "kubectl ended without a word", {}};
  return of_pod(where, line);
}

Error no_kubectl() {
  return {ErrorKind::no_podman, "kubectl is not installed, or not in PATH",
          "podshark reaches Kubernetes through it: install kubectl (Debian 12: kubernetes-client)"};
}

Result<std::string> kubectl(const Cluster& cluster, const std::vector<std::string>& words,
                            std::chrono::milliseconds limit) {
  if (find_program("kubectl").empty()) return no_kubectl();
  Result<Output> done =
      run(kubectl_words(cluster, words), limit, api::kMaxKubeBytes, {"LC_ALL=C"}, Stderr::kept);
  if (!done)
    return Error{ErrorKind::unreachable, words_for(cluster) + ": " + done.error().what,
                 "is its API server reachable? try 'kubectl get pods' in a terminal"};
  if (done->exit_code != 0) return kubectl_error(cluster, done->errors);
  return std::move(done->out);
}

namespace {

Result<Pods> pods_from(const Cluster& cluster, const std::vector<std::string>& words) {
  const Result<std::string> answer = kubectl(cluster, words, kListLimit);
  if (!answer) return answer.error();
  Result<api::Parsed<model::KubePod>> parsed = api::parse_kube_pods(*answer);
  if (!parsed) return parsed.error();
  return Pods{std::move(parsed->items), std::move(parsed->notes)};
}

}  // namespace

Result<Pods> get_pod(const Cluster& cluster, const std::string& name_space, const std::string& name) {
  return pods_from(cluster, {"get", "pod", name, "--output=json", "--namespace=" + name_space});
}

Result<Pods> list_pods(const Cluster& cluster, const std::string& name_space, const std::string& selector) {
  std::vector<std::string> words{"get", "pods", "--output=json", "--request-timeout=20s"};
  if (name_space == "all") words.emplace_back("--all-namespaces");
  if (!name_space.empty() && name_space != "all") words.push_back("--namespace=" + name_space);
  if (!selector.empty()) words.push_back("--selector=" + selector);
  return pods_from(cluster, words);
}

}  // namespace podshark::extcap::kube
