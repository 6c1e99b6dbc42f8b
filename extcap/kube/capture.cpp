// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/kube/capture.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <tuple>
#include <utility>

#include "extcap/kube/kubectl.h"
#include "extcap/kube/pods.h"
#include "extcap/kube/ways.h"
#include "extcap/remote/agent_file.h"
#include "extcap/remote/far_session.h"
#include "podman/core/clock.h"
#include "podman/core/text.h"

namespace podshark::extcap::kube {
namespace {

using model::KubeContainer;
using model::KubePod;

struct Chosen {
  Cluster cluster;
  KubePod pod;
  std::vector<std::string> containers;
};

bool runs(const KubeContainer& c) {
  return c.state == "running";
}

// Main containers first, in their order; the one that was named alone.
Result<std::vector<std::string>> containers_of(const KubePod& pod, const std::string& named) {
  const std::string who = "pod " + in_quotes(pod.name_space + "/" + pod.name);
  if (!named.empty()) {
    const KubeContainer* c = pod.container(named);
    std::string known;
    for (const KubeContainer& k : pod.containers) known += (known.empty() ? "" : ", ") + one_line(k.name, 64);
    if (c == nullptr)
      return Error{ErrorKind::not_found, who + " has no container " + in_quotes(named), "it has " + known};
    if (!runs(*c))
      return Error{ErrorKind::not_running,
                   "container " + in_quotes(named) + " of " + who + " does not run (" +
                       one_line(c->state + (c->reason.empty() ? "" : ", " + c->reason), 80) + ")",
                   "kubectl describe pod tells why"};
    return std::vector<std::string>{named};
  }
  std::vector<std::string> out;
  for (const KubeContainer::Kind kind :
       {KubeContainer::Kind::main, KubeContainer::Kind::ephemeral, KubeContainer::Kind::init}) {
    for (const KubeContainer& c : pod.containers) {
      const bool ours = kind == KubeContainer::Kind::ephemeral && c.name.starts_with(kEphemeral);
      if (c.kind == kind && runs(c) && !ours) out.push_back(c.name);
    }
  }
  if (!out.empty()) return out;
  const std::string why = pod.phase + (pod.reason.empty() ? "" : ", " + pod.reason);
  return Error{ErrorKind::not_running, who + " has no running container (" + one_line(why, 120) + ")",
               "kubectl describe pod -n " + pod.name_space + " " + pod.name + " tells why"};
}

Error no_pod(const PodName& name, const std::vector<KubePod>& pods) {
  std::string known;
  std::size_t shown = 0;
  for (const KubePod& pod : pods) {
    if (pod.phase == "Running" && shown++ < 8) known += (known.empty() ? "" : ", ") + pod.name;
  }
  return {ErrorKind::not_found, "no pod is " + in_quotes(to_string(name)),
          known.empty() ? "namespace " + in_quotes(name.name_space) + " has no running pod, or does not exist"
                        : "running in that namespace: " + known};
}

// Whoever may only get single pods can name one.
Result<Pods> pods_for(const PodName& name) {
  Result<Pods> all = list_pods(name.cluster, name.name_space, name.selector);
  if (all || all.error().kind != ErrorKind::permission || names_several(name)) return all;
  Result<Pods> one = get_pod(name.cluster, name.name_space, name.pod);
  return one ? std::move(one) : std::move(all);
}

class Choice {
 public:
  Status add(const PodName& name) {
    Result<Pods> known = pods_for(name);
    if (!known) return known.error();
    bool any = false;
    Status refused = no_pod(name, known->pods);
    for (const KubePod& pod : chosen(name, known->pods)) {
      Result<std::vector<std::string>> containers = containers_of(pod, name.container);
      if (!containers) {
        refused = containers.error();
        if (!names_several(name)) return refused;
        continue;
      }
      any = true;
      if (chosen_.insert(name.cluster.context + "@" + pod.uid).second)
        pods_.push_back({name.cluster, pod, std::move(*containers)});
    }
    for (KubePod& pod : known->pods) {
      if (seen_.insert(pod.uid).second) all_.push_back(std::move(pod));
    }
    return any ? ok() : refused;
  }
  [[nodiscard]] const std::vector<Chosen>& pods() const { return pods_; }
  [[nodiscard]] const std::vector<KubePod>& all() const { return all_; }

 private:
  std::vector<Chosen> pods_;
  std::vector<KubePod> all_;
  std::set<std::string> chosen_, seen_;
};

// One for each pod, used again as long as it runs; it can neither be started anew nor removed, so the next
// one has another name.
std::pair<std::string, bool> ephemeral_of(const KubePod& pod) {
  std::string name = kEphemeral;
  for (int number = 2;; ++number) {
    const KubeContainer* c = pod.container(name);
    if (c == nullptr || runs(*c)) return {name, c != nullptr};
    name = std::string(kEphemeral) + "-" + std::to_string(number);
  }
}

// The far side answers each beat; packets are an answer too.
constexpr std::chrono::seconds kSilence{10};

remote::Line line_to(const std::string& name, const StreamWays::Step& step) {
  remote::Line line;
  line.name = name;
  line.argv = with_marker(step.argv);
  line.environment = {"LC_ALL=C"};
  line.input = step.input;
  line.answer = kAlive;
  line.silence = kSilence;
  line.refused = [name](int, const std::string& said) {
    return Error{ErrorKind::internal, name + ": kubectl could not be started: " + last_line(said, 200), {}};
  };
  return line;
}

// Those that were made are removed at the end, together with what captures that were killed have left.
class NodePods {
 public:
  explicit NodePods(std::function<void(const std::string&)> line) : line_(std::move(line)) {}
  NodePods(const NodePods&) = delete;
  NodePods& operator=(const NodePods&) = delete;
  ~NodePods() {
    for (const auto& [name, made] : made_) remove(made.cluster, made.pod);
  }
  // The line was cut, which is to be told soon.
  void hurry() {
    limit_ = std::chrono::seconds(3);
    hurried_ = true;
  }

  NodePod beside(const Chosen& chosen, const MethodOptions& methods) {
    NodePod pod;
    pod.image = methods.node_image;
    pod.name_space = methods.node_namespace.empty() ? chosen.pod.name_space : methods.node_namespace;
    pod.name = "podshark-node-" + hex(std::random_device{}(), 8);
    pod.node = chosen.pod.node;
    pod.container_id = chosen.pod.container(chosen.containers.front())->id;
    pod.made = [this, cluster = chosen.cluster, pod] { made_.emplace(pod.name, Made{cluster, pod}); };
    return pod;
  }

 private:
  struct Made {
    Cluster cluster;
    NodePod pod;
  };
  void remove(const Cluster& cluster, const NodePod& pod) const {
    const std::string name_space = "--namespace=" + pod.name_space;
    const Result<std::string> done = kubectl(
        cluster,
        {"delete", "pod", pod.name, name_space, "--ignore-not-found", "--wait=false", "--grace-period=1"},
        limit_);
    if (!done)
      line_("node pod " + in_quotes(pod.name_space + "/" + pod.name) +
            " could not be removed; it ends by itself: " + done.error().line());
    if (hurried_ || (!done && done.error().kind == ErrorKind::unreachable)) return;
    // Whoever may not list them leaves them to somebody else.
    (void)kubectl(cluster,
                  {"delete", "pods", name_space, std::string("--selector=") + kNodePodLabel,
                   "--field-selector=status.phase!=Running,status.phase!=Pending", "--wait=false"},
                  limit_);
  }

  std::chrono::seconds limit_{10};
  bool hurried_ = false;
  std::function<void(const std::string&)> line_;
  std::map<std::string, Made> made_;  // by the pod's name
};

Status add_streams(const Chosen& chosen, const SessionOptions& options, NodePods& nodes,
                   std::vector<remote::FarStream>& out) {
  const Result<std::string> filter =
      node_filter(chosen.pod, options.link.filter, options.roster.methods.all_host);
  if (!filter) return filter.error();
  std::vector<std::string> links = options.link.links;
  if (links.empty()) links.emplace_back("any");
  const MethodOptions& methods = options.roster.methods;
  NodePod node;
  if (!methods.node_image.empty() && methods.method != Method::exec) node = nodes.beside(chosen, methods);
  const Target target = target_of(chosen.pod, *chosen.pod.container(chosen.containers.front()));
  for (const std::string& link : links) {
    WaysRequest request{chosen.cluster, chosen.pod.name_space, chosen.pod.name, chosen.containers, {}};
    request.spec = {
        .link = link,
        .filter = *filter,
        .snaplen = options.link.snaplen,
        .promiscuous = options.link.promiscuous,
        .buffer_bytes = options.link.ring_bytes == 0 ? std::size_t{8} << 20U : options.link.ring_bytes};
    if (methods.method != Method::exec) {
      request.agent = [](const std::string& machine) { return remote::agent_file(machine); };
      request.image = methods.agent_image;
      request.node = node;
      std::tie(request.ephemeral, request.idles) = ephemeral_of(chosen.pod);
    }
    const std::string name = "pod " + chosen.pod.name_space + "/" + chosen.pod.name;
    out.push_back({target,
                   std::make_unique<PodWays>(std::move(request)),
                   {},
                   [name](const StreamWays::Step& step, const Target&) { return line_to(name, step); }});
  }
  return ok();
}

}  // namespace

Status possible_in_pods(const SessionOptions& options) {
  const auto needs = [](const char* option) {
    return Error{ErrorKind::unsupported, std::string(option) + " is not possible in a pod of Kubernetes",
                 "leave it out; docs/KUBERNETES.md says what is"};
  };
  if (options.roster.wait) return needs("--wait");
  if (options.roster.points != Points::inside) return needs("--point");
  if (options.drops == DropMode::on || options.drops == DropMode::all) return needs("--drops");
  if (options.roster.methods.method == Method::netns) return needs("--method netns");
  if (options.roster.methods.method == Method::sidecar) return needs("--method sidecar");
  if (options.roster.methods.install_tool) return needs("--install-tool");
  return ok();
}

Result<Summary> capture_pods(const std::vector<std::string>& names, Output output,
                             const SessionOptions& options,
                             const std::function<void(const std::string&)>& line) {
  if (const Status s = possible_in_pods(options); !s) return s.error();
  Choice choice;
  for (const std::string& text : names) {
    const Result<PodName> name = parse_pod_name(text);
    if (!name) return name.error();
    if (const Status s = choice.add(*name); !s) return s.error();
  }
  NodePods nodes(line);
  std::vector<remote::FarStream> streams;
  for (const Chosen& chosen : choice.pods()) {
    const Status s = add_streams(chosen, options, nodes, streams);
    if (!s && choice.pods().size() == 1) return s.error();
    if (!s) line(s.error().line());
  }
  if (streams.empty())
    return Error{ErrorKind::unsupported, "none of the chosen pods can be captured like this", {}};
  remote::FarPlace place{inventory_of(choice.all(), choice.pods().front().cluster, /* all= */ false), 0,
                         line};
  place.inventory.time_ns = now_ns();
  Recorder recorder(std::move(output));
  Result<Summary> done = remote::capture_streams(std::move(streams), place, recorder, options);
  if (!done && done.error().kind == ErrorKind::unreachable) nodes.hurry();
  return done;
}

}  // namespace podshark::extcap::kube
