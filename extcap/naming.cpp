// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/naming.h"

#include <fnmatch.h>

#include <algorithm>
#include <functional>

#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

using model::Container;
using model::Inventory;
using model::Network;
using model::NetworkKind;
using model::Pod;

// Podman allows [a-zA-Z0-9][a-zA-Z0-9_.-]* in names, but a forged conmon command line may hold anything.
// Commas and parentheses separate values in Wireshark's preferences.
std::string plain(const std::string& name) {
  std::string out = one_line(name, 4096);
  for (char& c : out) {
    if (c == ',' || c == '(' || c == ')' || c == '{' || c == '}' || c == ' ') c = '_';
  }
  return out;
}

// Cut to `most` bytes, the last seven a mark of the whole.
std::string cut(const std::string& value, const std::string& whole, std::size_t most) {
  if (value.size() <= most) return value;
  const std::string tail = "~" + hex(fnv1a(whole), 6);
  std::size_t keep = most - tail.size();
  while (keep > 0 && (static_cast<unsigned char>(value[keep]) & 0xC0u) == 0x80) --keep;
  return value.substr(0, keep) + tail;
}

std::string shortened(const std::string& prefix, const std::string& name) {
  return cut(prefix + plain(name), name, kMaxInterfaceName - 1);
}

// Names that would be taken for something else.
bool reserved(const std::string& name) {
  return name == "all" || name == "choose" || name.starts_with("pod/") || name.starts_with("net/");
}

std::string far_value(const std::string& host, const std::string& rest) {
  constexpr std::size_t kMostHost = 32;
  const std::string whole = kFarPrefix + plain(host) + ":" + plain(rest);
  if (whole.size() < kMaxInterfaceName) return whole;
  return cut(kFarPrefix + cut(plain(host), host, kMostHost) + ":" + plain(rest), host + "\n" + rest,
             kMaxInterfaceName - 1);
}

bool foreign(const Container& c, uid_t caller) {
  return !c.rootless && caller != 0;
}

std::string first_address(const Container& c) {
  for (const auto& network : c.networks) {
    if (!network.addresses.empty())
      return network.addresses.front().substr(0, network.addresses.front().find('/'));
  }
  return {};
}

// "docker.io/library/nginx:1.27" → "nginx:1.27"
std::string short_image(const std::string& image) {
  const std::size_t slash = image.rfind('/');
  return one_line(slash == std::string::npos ? image : image.substr(slash + 1), 40);
}

std::string short_ports(const Container& c) {
  std::string out;
  for (std::size_t i = 0; i < c.ports.size() && i < 3; ++i) {
    std::string text = model::to_string(c.ports[i]);
    if (text.size() > 4 && text.compare(text.size() - 4, 4, "/tcp") == 0) text.resize(text.size() - 4);
    out += (i > 0 ? " " : "") + text;
  }
  return c.ports.size() > 3 ? out + " \u2026" : one_line(out, 80);
}

std::string known_names(const Inventory& inventory, uid_t caller) {
  std::string out;
  std::size_t shown = 0;
  for (const Container& c : inventory.containers) {
    if (!c.alive() || c.infra || shown == 8) continue;
    out += (shown++ > 0 ? ", " : "") + interface_value(c, caller);
  }
  return out;
}

bool is_label(const std::string& name) {
  return name.compare(0, 6, "label=") == 0 && name.size() > 6;
}
bool is_glob(const std::string& name) {
  return name.find_first_of("*?[") != std::string::npos;
}
// `wanted` is KEY or KEY=VALUE, as in `podman ps --filter label=`.
bool has_label(const Container& c, const std::string& wanted) {
  const std::size_t equals = wanted.find('=');
  const auto it = c.labels.find(wanted.substr(0, equals));
  return it != c.labels.end() && (equals == std::string::npos || it->second == wanted.substr(equals + 1));
}

// ---- selecting ----------------------------------------------------------------------------------------

class Resolver {
 public:
  Resolver(const Inventory& inventory, uid_t caller) : inventory_(inventory), caller_(caller) {}

  Status add(const std::string& name);
  Targets take() { return std::move(targets_); }

 private:
  Status add_all();
  Status add_pod(const Pod& pod);
  Status add_network(const Network& network);
  Status add_matching(const std::string& name, const std::function<bool(const Container&)>& fits);
  Status add_container(const Container& container, const std::string& value);
  [[nodiscard]] const Container* netns_owner(const Container& container) const;
  [[nodiscard]] const Container& with_tools(const Container& container) const;
  [[nodiscard]] Result<const Container*> find_container(const std::string& name) const;
  [[nodiscard]] const Pod* find_pod(const std::string& name) const;
  [[nodiscard]] std::string pod_name(const Container& c) const {
    const Pod* pod = c.pod_id.empty() ? nullptr : inventory_.pod_by_id(c.pod_id);
    return pod == nullptr ? std::string() : pod->name;
  }

  const Inventory& inventory_;
  uid_t caller_;
  Targets targets_;
};

const Pod* Resolver::find_pod(const std::string& name) const {
  for (const Pod& pod : inventory_.pods) {
    if (name == interface_value(pod) || name == "pod/" + pod.name) return &pod;
  }
  return nullptr;
}

Result<const Container*> Resolver::find_container(const std::string& name) const {
  // Own containers come first: a plain name means them before a rootful one of the same name.
  const auto find = [&](const std::function<bool(const Container&)>& fits) {
    const Container* found = nullptr;
    for (const Container& c : inventory_.containers) {
      if (fits(c) && (found == nullptr || (foreign(*found, caller_) && !foreign(c, caller_)))) found = &c;
    }
    return found;
  };
  if (const auto* c = find([&](const Container& x) { return interface_value(x, caller_) == name; })) return c;
  if (const auto* c = find([&](const Container& x) { return x.name == name || x.id == name; })) return c;
  const auto kubernetes = [&](const Container& x) {
    const std::string called = kubernetes_name(x);
    return !called.empty() && called == name;
  };
  if (const auto* c = find(kubernetes)) return c;
  const bool id_like = name.size() >= 3 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
  const Container* match = nullptr;
  for (const Container& c : inventory_.containers) {
    if (!id_like || c.id.compare(0, name.size(), name) != 0) continue;
    if (match != nullptr) {
      return Error{ErrorKind::usage, "several containers have an id beginning with " + in_quotes(name),
                   "give more digits"};
    }
    match = &c;
  }
  if (match != nullptr) return match;
  const std::string known = known_names(inventory_, caller_);
  std::string hint = known.empty() ? "no container is running" : "running: " + known;
  if (!inventory_.problems.empty()) hint += "; note: " + inventory_.problems.front().what;
  return Error{ErrorKind::not_found, "no container or pod is called " + in_quotes(name), hint};
}

// Follows container:X and pod members to the container that made the namespace, as far as we see it.
const Container* Resolver::netns_owner(const Container& container) const {
  const Container* c = &container;
  for (int depth = 0; depth < 8 && !c->shares_with.empty(); ++depth) {
    const Container* next = inventory_.by_id(c->shares_with);
    if (next == nullptr || !next->alive()) break;
    c = next;
  }
  return c;
}

// An infra container has nothing in it to run: another member of its pod has.
const Container& Resolver::with_tools(const Container& container) const {
  if (!container.infra) return container;
  const auto member = std::find_if(
      inventory_.containers.begin(), inventory_.containers.end(),
      [&](const Container& c) { return c.alive() && !c.infra && c.shares_with == container.id; });
  return member == inventory_.containers.end() ? container : *member;
}

Status Resolver::add_container(const Container& container, const std::string& value) {
  if (!container.alive()) {
    const auto same = [&](const Container& c) { return c.id == container.id; };
    if (std::none_of(targets_.stopped.begin(), targets_.stopped.end(), same))
      targets_.stopped.push_back(container);
    return ok();
  }
  const Container* owner = netns_owner(container);
  if (owner->kind == NetworkKind::host) {
    // All of these share one namespace; what tells them apart is whose ports they are.
    const bool there = std::any_of(targets_.running.begin(), targets_.running.end(),
                                   [&](const Target& t) { return t.container.id == container.id; });
    Target target{value, container, pod_name(container), {}, Point::host, container};
    target.container.kind = NetworkKind::host;
    if (!there) targets_.running.push_back(std::move(target));
    return ok();
  }
  const bool known = std::any_of(targets_.running.begin(), targets_.running.end(), [&](const Target& t) {
    return t.container.id == owner->id || (owner->netns != 0 && t.container.netns == owner->netns);
  });
  if (!known) {
    targets_.running.push_back(
        {value, *owner, pod_name(container), {}, Point::inside, with_tools(container)});
  }
  return ok();
}

Status Resolver::add_network(const Network& network) {
  if (network.driver != "bridge") {
    return Error{ErrorKind::unsupported,
                 "network " + in_quotes(network.name) + " has no bridge (driver " +
                     one_line(network.driver, 20) + "): its containers' links lead straight out",
                 "capture its containers, or the host link " + in_quotes(network.bridge)};
  }
  targets_.running.push_back({interface_value(network), {}, {}, network.name, Point::host, {}});
  return ok();
}

// Nothing is started for a pattern: only what runs counts.
Status Resolver::add_matching(const std::string& name, const std::function<bool(const Container&)>& fits) {
  bool any = false;
  for (const Container& c : inventory_.containers) {
    if (!c.alive() || c.infra || c.kind == NetworkKind::host || !fits(c)) continue;
    any = true;
    if (Status s = add_container(c, interface_value(c, caller_)); !s) return s;
  }
  if (any) return ok();
  return Error{ErrorKind::not_found, "no running container matches " + in_quotes(name),
               "see 'podshark list', or wait for one with --wait"};
}

Status Resolver::add_pod(const Pod& pod) {
  for (const std::string& id : pod.members) {
    const Container* c = inventory_.by_id(id);
    if (c != nullptr && c->alive() && c->kind != NetworkKind::host &&
        (pod.infra_id.empty() || id == pod.infra_id)) {
      return add_container(*c, interface_value(pod));
    }
  }
  // No infra container: members have namespaces of their own, or all are in the host's. A stopped pod is
  // known by its infra container.
  if (const Container* infra = inventory_.by_id(pod.infra_id); infra != nullptr && !infra->alive())
    return add_container(*infra, interface_value(pod));
  bool any = false;
  for (const std::string& id : pod.members) {
    const Container* c = inventory_.by_id(id);
    if (c == nullptr || !c->alive() || c->infra) continue;
    any = true;
    if (Status s = add_container(*c, interface_value(*c, caller_)); !s) return s;
  }
  if (any) return ok();
  return Error{ErrorKind::not_running, "pod " + in_quotes(pod.name) + " has no running container",
               "start it: podman pod start " + one_line(pod.name, 80)};
}

Status Resolver::add_all() {
  for (const Pod& pod : inventory_.pods) {
    const Container* infra = inventory_.by_id(pod.infra_id);
    if (infra != nullptr && infra->kind == NetworkKind::host) continue;
    (void)add_pod(pod);  // stopped pods have nothing to capture
  }
  for (const Container& c : inventory_.containers) {
    // "all" means one's own; rootful ones need the worker and are named one by one.
    if (!c.alive() || c.kind == NetworkKind::host || foreign(c, caller_)) continue;
    (void)add_container(c, interface_value(c, caller_));
  }
  if (!targets_.running.empty()) return ok();
  return Error{ErrorKind::not_running, "no container of yours with a network of its own is running",
               inventory_.problems.empty() ? "see 'podshark list --all'" : inventory_.problems.front().what};
}

Status Resolver::add(const std::string& name) {
  if (name == kAllValue || name == "all") return add_all();
  if (const Pod* pod = find_pod(name)) return add_pod(*pod);
  for (const Network& n : inventory_.networks) {
    if (name == "net/" + n.name || name == interface_value(n)) return add_network(n);
  }
  if (is_label(name)) {
    return add_matching(name, [&](const Container& c) { return has_label(c, name.substr(6)); });
  }
  if (is_glob(name)) {
    return add_matching(name,
                        [&](const Container& c) { return ::fnmatch(name.c_str(), c.name.c_str(), 0) == 0; });
  }
  const Result<const Container*> c = find_container(name);
  if (!c) return c.error();
  return add_container(**c, interface_value(**c, caller_));
}

}  // namespace

std::string interface_value(const Container& container, uid_t caller) {
  const std::string name = container.name.empty() ? container.id.substr(0, 12) : container.name;
  if (foreign(container, caller)) return shortened("podman-root:", name);
  return shortened(reserved(name) ? "podman:container/" : "podman:", name);
}

std::string interface_value(const Pod& pod) {
  return shortened("podman:pod/", pod.name);
}

std::string interface_value(const Network& network) {
  return shortened("podman:net/", network.name);
}

std::string far_interface_value(const std::string& host, const std::string& container) {
  return far_value(host, (reserved(container) ? "container/" : "") + container);
}

std::string far_choose_value(const std::string& host) {
  return far_value(host, "choose");
}

std::string display_text(const Container& c, uid_t caller) {
  std::string out = "Podman " + one_line(c.name.empty() ? c.id.substr(0, 12) : c.name, 60);
  const auto add = [&](const std::string& piece) {
    if (!piece.empty()) out += " \u00b7 " + piece;
  };
  add(short_image(c.image));
  add(one_line(first_address(c), 45));
  add(short_ports(c));
  if (c.kind == NetworkKind::host) add("host network");
  if (foreign(c, caller)) add("rootful");
  if (c.state == "paused") add("paused");
  if (const std::string name = kubernetes_name(c); !name.empty()) add("kube " + one_line(name, 80));
  return out;
}

std::string kubernetes_name(const Container& c) {
  const model::KubeName& k = c.kubernetes;
  if (k.container.empty()) return {};
  return (k.name_space.empty() ? "" : k.name_space + "/") + k.pod + "/" + k.container;
}

std::string display_text(const Pod& pod) {
  std::size_t members = pod.members.size();
  if (!pod.infra_id.empty() && members > 0) --members;
  return "Podman pod " + one_line(pod.name, 60) + " \u00b7 " + std::to_string(members) + " container" +
         (members == 1 ? "" : "s");
}

std::string display_text(const Network& network, std::size_t containers) {
  std::string out =
      "Podman network " + one_line(network.name, 60) + " \u00b7 " + one_line(network.bridge, 16);
  if (!network.subnets.empty()) out += " \u00b7 " + one_line(network.subnets.front(), 45);
  return out + " \u00b7 " + std::to_string(containers) + " container" + (containers == 1 ? "" : "s");
}

std::string what(const Target& target) {
  if (!target.network.empty()) return "network " + one_line(target.network, 80);
  if (const model::KubeName& k = target.container.kubernetes; !k.name_space.empty())
    return "container " + one_line(k.container, 80) + " of pod " + one_line(k.name_space + "/" + k.pod, 160);
  const std::string name = "container " + one_line(target.container.name, 80);
  const bool outside = target.point == Point::host && target.container.kind != NetworkKind::host;
  return outside ? "the host's side of " + name : name;
}

Error not_running(const Container& c) {
  return {ErrorKind::not_running,
          "container " + in_quotes(c.name) + " is not running (" + one_line(c.state, 20) + ")",
          "start it: podman start " + one_line(c.name, 80) +
              "; or choose it in podman:choose, which starts it once the capture is ready"};
}

bool names_a_group(const std::string& name) {
  return is_label(name) || is_glob(name) || name == "all" || name == kAllValue ||
         name.compare(0, 4, "pod/") == 0 || name.compare(0, 4, "net/") == 0 ||
         name.compare(0, 11, "podman:pod/") == 0 || name.compare(0, 11, "podman:net/") == 0;
}

Result<Targets> resolve(const std::vector<std::string>& names, const Inventory& inventory, uid_t caller) {
  Resolver resolver(inventory, caller);
  for (const std::string& name : names) {
    if (const Status s = resolver.add(name); !s) return s.error();
  }
  return resolver.take();
}

std::vector<Target> resolve_running(const std::vector<std::string>& names, const Inventory& inventory,
                                    uid_t caller) {
  Resolver resolver(inventory, caller);
  for (const std::string& name : names) (void)resolver.add(name);
  return resolver.take().running;
}

}  // namespace podshark::extcap
